/* What lies below Arduino's core for the Nano 33 BLE, in place of its library libmbed.a: the table
 * of vectors, the start, pins, and a serial port, by UARTE0 instead of USB. The application runs on
 * the process stack as in mbed's main thread, interrupts on the other.
 */
#include <Arduino.h>
#include <string.h>

extern "C" {
extern uint32_t __etext, __data_start__, __data_end__, __bss_start__, __bss_end__, __StackTop;
void __libc_init_array(void);
void _init(void);
void PDM_IRQHandler_v(void);
void Reset_Handler(void);
}

void _init(void) {
}

void *__dso_handle;

/* As MBED_CONF_RTOS_MAIN_THREAD_STACK_SIZE has it. */
static uint64_t stack[32768 / 8];

static void fault(void) {
    for (;;) {
    }
}

static void application(void) {
    __libc_init_array();
    setup();
    for (;;) {
        loop();
    }
}

void Reset_Handler(void) {
    memcpy(&__data_start__, &__etext, (size_t)((char *)&__data_end__ - (char *)&__data_start__));
    memset(&__bss_start__, 0, (size_t)((char *)&__bss_end__ - (char *)&__bss_start__));
    __set_PSP((uint32_t)(stack + sizeof stack / sizeof stack[0]));
    __set_CONTROL(2);
    application();
}

typedef void (*handler_t)(void);

__attribute__((section(".Vectors"), used)) static const handler_t vectors[16 + 48] = {
    (handler_t)&__StackTop,
    Reset_Handler,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    /* interrupts from 0 on */
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    PDM_IRQHandler_v,
};

/* Pins: OUT, and DIR where a pin is an output. */

static NRF_GPIO_Type *port_of(PinName pin) {
    return pin < 32 ? NRF_P0 : NRF_P1;
}

void pinMode(pin_size_t pin, PinMode mode) {
    const PinName name = digitalPinToPinName(pin);
    if (mode == OUTPUT) {
        port_of(name)->DIRSET = 1u << (name & 31);
    } else {
        port_of(name)->DIRCLR = 1u << (name & 31);
    }
}

void digitalWrite(pin_size_t pin, PinStatus value) {
    const PinName name = digitalPinToPinName(pin);
    if (value == LOW) {
        port_of(name)->OUTCLR = 1u << (name & 31);
    } else {
        port_of(name)->OUTSET = 1u << (name & 31);
    }
}

void delay(unsigned long) {
}

/* The serial port, always open. */

arduino::UART _UART_USB_;

void arduino::UART::begin(unsigned long) {
    NRF_UARTE0->ENABLE = 8;
}

void arduino::UART::begin(unsigned long rate, uint16_t) {
    begin(rate);
}

void arduino::UART::end() {
}

int arduino::UART::available() {
    return 0;
}

int arduino::UART::peek() {
    return -1;
}

int arduino::UART::read() {
    return -1;
}

void arduino::UART::flush() {
}

size_t arduino::UART::write(const uint8_t *bytes, size_t count) {
    static uint8_t ram[64];
    for (size_t done = 0; done < count;) {
        const size_t part = count - done < sizeof ram ? count - done : sizeof ram;
        memcpy(ram, bytes + done, part);
        NRF_UARTE0->EVENTS_ENDTX = 0;
        NRF_UARTE0->TXD.PTR = (uint32_t)ram;
        NRF_UARTE0->TXD.MAXCNT = part;
        NRF_UARTE0->TASKS_STARTTX = 1;
        while (NRF_UARTE0->EVENTS_ENDTX == 0) {
        }
        done += part;
    }
    return count;
}

size_t arduino::UART::write(uint8_t byte) {
    return write(&byte, 1);
}

arduino::UART::operator bool() {
    return true;
}
