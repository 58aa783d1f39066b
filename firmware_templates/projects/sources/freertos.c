#include "FreeRTOS.h"
#include "asc_listen.h"
#include "board.h"
#include "task.h"

enum { STACK_WORDS = 1024, PRIORITY = tskIDLE_PRIORITY + 1 };

static TaskHandle_t listener;

/* Interrupt, of a priority that may call FreeRTOS (configMAX_SYSCALL_INTERRUPT_PRIORITY). */
void microphone_received(const int16_t *pcm, size_t count, int lost) {
    BaseType_t woken = pdFALSE;
    if (lost) {
        asc_listen_gap();
    }
    asc_listen_samples(pcm, count);
    vTaskNotifyGiveFromISR(listener, &woken);
    portYIELD_FROM_ISR(woken);
}

static void listen(void *nothing) {
    (void)nothing;
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
            (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        }
    }
    stop(status);
}

int main(void) {
    static StackType_t stack[STACK_WORDS];
    static StaticTask_t task;
    listener = xTaskCreateStatic(listen, "listen", STACK_WORDS, NULL, PRIORITY, stack, &task);
    vTaskStartScheduler();
    stop(0);
}
