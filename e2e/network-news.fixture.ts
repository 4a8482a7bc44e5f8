import { getRawPointer } from 'node:ffi'
import { endianness } from 'node:os'
import { openSystemCalls } from '../runtime/isolation/system-calls.ts'

/** Numbers of `asm/unistd.h`. */
const numbers: Partial<Record<string, { socket: number; seccomp: bigint }>> = {
  x64: { socket: 41, seccomp: 317n },
  arm64: { socket: 198, seccomp: 277n },
}

/**
 * Keeps the programs that this process starts from now on from hearing that a network of the machine has come or gone.
 * A browser that hears it gives up what it is connecting to (`ERR_NETWORK_CHANGED`), and other tests make networks for
 * their containers. On Linux, by a filter of system calls (seccomp); elsewhere it does nothing.
 */
export function silenceNetworkNews(): void {
  const system = openSystemCalls()
  const number = numbers[process.arch]
  if (!system || !number || endianness() !== 'LE') return
  const load = 0x20
  const jumpIfEqual = 0x15
  const answer = 0x06
  const filter = instructions([
    [load, 0, 0, 0],
    [jumpIfEqual, 0, 3, number.socket],
    [load, 0, 0, argument(0)],
    [jumpIfEqual, 0, 1, netlink],
    [answer, 0, 0, refused | notSupported],
    [answer, 0, 0, allowed],
  ])
  const program = new DataView(new ArrayBuffer(16))
  program.setUint16(0, filter.byteLength / 8, true)
  program.setBigUint64(8, getRawPointer(filter), true)
  const done =
    system.forbidNewPrivileges() &&
    system.call(number.seccomp, setFilter, 0n, getRawPointer(program.buffer as ArrayBuffer)) === 0n
  if (!done) throw new Error('the browser cannot be kept from hearing of networks')
}

const netlink = 16
const notSupported = 97
const refused = 0x0005_0000
const allowed = 0x7fff_0000
const setFilter = 1n
/** Where the lower half of an argument stands in what a filter sees of a call. */
const argument = (index: number) => 16 + 8 * index

/** `struct sock_filter`: code, instructions to leave out when it is so and when it is not, operand. */
function instructions(all: (readonly [number, number, number, number])[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(all.length * 8))
  for (const [i, [code, whenSo, whenNot, operand]] of all.entries()) {
    view.setUint16(i * 8, code, true)
    view.setUint8(i * 8 + 2, whenSo)
    view.setUint8(i * 8 + 3, whenNot)
    view.setUint32(i * 8 + 4, operand, true)
  }
  return view.buffer as ArrayBuffer
}
