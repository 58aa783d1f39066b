/* SPDX-License-Identifier: Apache-2.0
 *
 * An I2S microphone with 24 bits in slots of 32, left channel, by ESP-IDF's standard driver. A
 * task on the other core takes the driver's buffers at once: the network may run for as long as
 * the application's own buffer lasts.
 */
#include "microphone.h"

#include "asc_listen.h"
#include "driver/i2s_std.h"
#include "esp_attr.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define CHUNK 256u /* samples */
#define STACK_BYTES 3072
#define PRIORITY 10
#define CORE 0

static i2s_chan_handle_t channel;
static TaskHandle_t application;
static volatile uint32_t overflows;

/* In RAM: the driver's interrupt comes while flash is written, when no other code can run. */
static bool IRAM_ATTR count_overflow(i2s_chan_handle_t handle, i2s_event_data_t *event,
                                     void *context) {
    (void)handle;
    (void)event;
    (void)context;
    overflows = overflows + 1u;
    return false;
}

static void take(const int32_t *slots, size_t count) {
    static int16_t samples[CHUNK];
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)(slots[i] >> 16);
    }
    asc_listen_samples(samples, count);
}

static void read_samples(void *nothing) {
    static int32_t slots[CHUNK];
    uint32_t known = 0;
    (void)nothing;
    for (;;) {
        size_t bytes = 0;
        if (i2s_channel_read(channel, slots, sizeof slots, &bytes, portMAX_DELAY) != ESP_OK) {
            continue;
        }
        if (overflows == known) {
            take(slots, bytes / sizeof slots[0]);
        } else { /* the gap is somewhere in what was read */
            known = overflows;
            asc_listen_gap();
        }
        xTaskNotifyGive(application);
    }
}

static esp_err_t configure(void) {
    const i2s_chan_config_t controller = I2S_CHANNEL_DEFAULT_CONFIG(I2S_NUM_AUTO, I2S_ROLE_MASTER);
    i2s_std_config_t standard = {
        .clk_cfg = I2S_STD_CLK_DEFAULT_CONFIG(MICROPHONE_RATE),
        .slot_cfg =
            I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_MONO),
        .gpio_cfg =
            {
                .mclk = I2S_GPIO_UNUSED,
                .bclk = CONFIG_MICROPHONE_BCLK_GPIO,
                .ws = CONFIG_MICROPHONE_WS_GPIO,
                .dout = I2S_GPIO_UNUSED,
                .din = CONFIG_MICROPHONE_DIN_GPIO,
            },
    };
    /* Of chips since the ESP32-S3 the default is both, mono or not. */
    standard.slot_cfg.slot_mask = I2S_STD_SLOT_LEFT;
    const i2s_event_callbacks_t callbacks = {.on_recv_q_ovf = count_overflow};
    esp_err_t status = i2s_new_channel(&controller, NULL, &channel);
    if (status == ESP_OK) {
        status = i2s_channel_init_std_mode(channel, &standard);
    }
    if (status == ESP_OK) {
        status = i2s_channel_register_event_callback(channel, &callbacks, NULL);
    }
    return status;
}

esp_err_t microphone_start(void) {
    esp_err_t status = configure();
    if (status == ESP_OK) {
        status = i2s_channel_enable(channel);
    }
    application = xTaskGetCurrentTaskHandle();
    if (status == ESP_OK && xTaskCreatePinnedToCore(read_samples, "microphone", STACK_BYTES, NULL,
                                                    PRIORITY, NULL, CORE) != pdPASS) {
        status = ESP_ERR_NO_MEM;
    }
    return status;
}

void microphone_wait(void) {
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
}

uint32_t microphone_overflows(void) {
    return overflows;
}
