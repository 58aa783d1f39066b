// SPDX-License-Identifier: Apache-2.0
//
// Runs an image on an emulated RP2040 (npm's rp2040js, of Wokwi) whose microphone plays a file, and
// prints what the image sends on its USB serial port, until its first decision:
//
//     node rp2040.mjs RP2040JS BOOTROM IMAGE.uf2 MICROPHONE SAMPLES SECONDS [PACE]
//
// RP2040JS is the folder of the package, BOOTROM a text with the words of the chip's boot ROM,
// MICROPHONE i2s:SCK,WS,SD or pdm:CLK,DATA by their GPIOs. SAMPLES has int16 samples for an I2S
// microphone, bits for a PDM one, the lowest of a byte first; silence follows. It ends after
// SECONDS of emulated time in any case. With PACE 2 the microphone has half of its pace, for an
// image that one core is too slow for. The emulator steps programs of PIO blocks without regard
// to time; here each machine steps by its divider.
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, rom, image, microphone, samples, seconds, pace = 1] = process.argv.slice(2);
const library = await import(pathToFileURL(join(folder, 'dist/esm/index.js')));
const { Simulator, USBCDC, GPIOPinState } = library;

const CLOCK_HZ = 125e6;
const FLASH = 0x10000000;
const UF2_BLOCK = 512;

function words(text) {
  return new Uint32Array(text.match(/0x[0-9a-f]{8}/gi).map(Number));
}

function load(flash, file) {
  for (let at = 0; at < file.length; at += UF2_BLOCK) {
    const address = file.readUInt32LE(at + 12);
    flash.set(file.subarray(at + 32, at + 32 + file.readUInt32LE(at + 16)), address - FLASH);
  }
}

// Data change when the clock falls, and the left channel's slot begins one period after the word
// select: its 24 bits are followed by zeros, and the right slot is nobody's.
function i2s(gpio, [clock, select, data], file) {
  let period = 0;
  let selected = false;
  let next = 2;
  gpio[clock].addListener((state) => {
    if (state !== GPIOPinState.Low) {
      return;
    }
    const right = gpio[select].value === GPIOPinState.High;
    period = selected && !right ? 0 : period + 1;
    selected = right;
    next += period === 0 ? 2 : 0;
    const word = next <= file.length ? (file.readInt16LE(next - 2) << 8) | 0x5a : 0;
    const bit = 24 - period;
    gpio[data].setInputValue(bit >= 0 && bit < 24 && ((word >> bit) & 1) === 1);
  });
}

// Data change when the clock falls: this microphone's select pin is low.
function pdm(gpio, [clock, data], file) {
  let next = 0;
  gpio[clock].addListener((state) => {
    if (state === GPIOPinState.Low) {
      const byte = next < 8 * file.length ? file[next >> 3] : 0x55;
      gpio[data].setInputValue(((byte >> (next & 7)) & 1) === 1);
      next++;
    }
  });
}

const simulator = new Simulator();
const chip = simulator.rp2040;
chip.logger = { debug() {}, info() {}, warn() {}, error() {} };
chip.loadBootrom(words(readFileSync(rom, 'utf-8')));
load(chip.flash, readFileSync(image));
chip.core.PC = FLASH;

const [kind, pins] = microphone.split(':');
const play = { i2s, pdm }[kind];
play(chip.gpio, pins.split(',').map(Number), readFileSync(samples));

let printed = '';
let hasEnded = false;
const cdc = new USBCDC(chip.usbCtrl);
cdc.onSerialData = (bytes) => {
  writeSync(1, bytes);
  printed += Buffer.from(bytes).toString('latin1');
  hasEnded = /^(scene|stopped) [^\n]*\n/m.test(printed);
};

// Cycles of the core until a machine of a PIO block steps again.
const due = new Map();
for (const pio of chip.pio) {
  pio.run = () => {};
}

function step(cycles) {
  for (const pio of chip.pio) {
    if (pio.stopped) {
      continue;
    }
    for (const machine of pio.machines.filter((each) => each.enabled)) {
      const divider = pace * (machine.clockDivInt + machine.clockDivFrac / 256);
      let left = (due.get(machine) ?? 0) - cycles;
      for (; left <= 0; left += divider) {
        machine.step();
        pio.checkChangedPins();
      }
      due.set(machine, left);
    }
  }
}

const last = seconds * CLOCK_HZ;
const ASLEEP = 64; // cycles at a time
for (let now = 0; now < last && !hasEnded; ) {
  const cycles = chip.core.waiting ? ASLEEP : chip.core.executeInstruction();
  now += cycles;
  simulator.clock.tick((cycles * 1e9) / CLOCK_HZ);
  step(cycles);
}
process.exit(0);
