#include "asc_listen.h"
#include "board.h"

/* Interrupt: the microphone's DMA has put `count` samples to `pcm`. `lost` is not 0 if others went
 * missing before them. */
void microphone_received(const int16_t *pcm, size_t count, int lost) {
    if (lost) {
        asc_listen_gap();
    }
    asc_listen_samples(pcm, count);
}

int main(void) {
    const int tested = asc_listen_selftest();
    if (tested != ASC_SELFTEST_PASSED) {
        stop(tested);
    }
    int status = asc_listen_init();
    microphone_start();
    while (status >= 0) {
        asc_result_t result;
        status = asc_listen(&result);
        if (status == ASC_RESULT_NEW) {
            show(&result);
        } else if (status == ASC_RESULT_NONE) {
            wait_for_interrupt();
        }
    }
    stop(status);
}
