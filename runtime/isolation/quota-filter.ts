import { getRawPointer } from 'node:ffi'
import type { SystemCalls } from './system-calls.ts'

/**
 * Keeps this process and everything it starts from changing which project a file counts for. The system lets the owner of a file do
 * that, and with it leave the quota of their volume, or use up another one's. Everything else of chattr that a run may do goes with it:
 * one call sets all of it.
 */

/** What the processors differ in: the name of the ABI, and of one with 32 bits beside it; both have the call. */
const processors: Partial<Record<NodeJS.Architecture, { abi: number; ioctl: number; small: number }>> = {
  x64: { abi: 0xc000_003e, ioctl: 16, small: 0x4000_0003 },
  arm64: { abi: 0xc000_00b7, ioctl: 29, small: 0x4000_0028 },
}
const smallIoctl = 54
/** From Linux 6.17 on, with this number everywhere. */
const setFileAttributes = 469
/** Above that, x86-64 has a second ABI with numbers of its own, which no program uses. */
const secondAbi = 0x4000_0000
/** `FS_IOC_FSSETXATTR`, and `FS_IOC_SETFLAGS` of programs with 64 and 32 bits. */
const setters = [0x401c_5820, 0x4008_6602, 0x4004_6602]

const allow = 0x7fff_0000
const refuse = (errno: number) => 0x0005_0000 | errno
const notPermitted = refuse(1)
const unknownCall = refuse(38)

/** Of linux/bpf_common.h: load a word of the call's description, compare it, answer. */
const operation = { load: 0x20, equal: 0x15, atLeast: 0x35, answer: 0x06 }
/** Of `struct seccomp_data`; the call's second argument by its lower half. */
const at = { number: 0, abi: 4, command: 24 }

/** An instruction: its operation and value; a comparison that holds skips `then` instructions, another one `otherwise`. */
type Instruction = readonly [operation: number, value: number, then?: number, otherwise?: number]

function program({ abi, ioctl, small }: { abi: number; ioctl: number; small: number }): Instruction[] {
  // Ends in answers, which are skipped to.
  const answers: Instruction[] = [
    [operation.answer, allow],
    [operation.answer, notPermitted],
    [operation.answer, unknownCall],
  ]
  const commands: Instruction[] = [
    [operation.load, at.command],
    ...setters.map(
      (setter, index): Instruction => [
        operation.equal,
        setter,
        setters.length - index, // To "not permitted".
        0,
      ],
    ),
  ]
  const toAllow = commands.length
  const toUnknown = toAllow + 2
  const small32: Instruction[] = [
    [operation.equal, small, 0, toAllow + 3],
    [operation.load, at.number],
    [operation.equal, smallIoctl, 1, 0],
    [operation.equal, setFileAttributes, toUnknown, toAllow],
  ]
  const usual: Instruction[] = [
    [operation.load, at.number],
    [operation.atLeast, secondAbi, small32.length + 2 + toUnknown, 0],
    [operation.equal, ioctl, small32.length + 1, 0],
    [operation.equal, setFileAttributes, small32.length + toUnknown, small32.length + toAllow],
  ]
  return [
    [operation.load, at.abi],
    [operation.equal, abi, 0, usual.length],
    ...usual,
    ...small32,
    ...commands,
    ...answers,
  ]
}

/** `seccomp` with a filter, for all threads. */
const setFilter = 1n
const allThreads = 1n
const numbers: Partial<Record<NodeJS.Architecture, bigint>> = { x64: 317n, arm64: 277n }

/** Prepares the filter. Returns a function that starts it, which answers false if the system refuses; null where it is not known. */
export function prepareQuotaFilter(system: SystemCalls): (() => boolean) | null {
  const [processor, number] = [processors[process.arch], numbers[process.arch]]
  if (!processor || number === undefined) return null
  const instructions = program(processor)
  const code = new DataView(new ArrayBuffer(instructions.length * 8))
  for (const [index, [kind, value, then = 0, otherwise = 0]] of instructions.entries()) {
    code.setUint16(index * 8, kind, true)
    code.setUint8(index * 8 + 2, then)
    code.setUint8(index * 8 + 3, otherwise)
    code.setUint32(index * 8 + 4, value, true)
  }
  const filter = new DataView(new ArrayBuffer(16))
  filter.setUint16(0, instructions.length, true)
  return () => {
    // Their addresses are asked for as late as that, while both are certainly there.
    filter.setBigUint64(8, getRawPointer(code.buffer as ArrayBuffer), true)
    const address = getRawPointer(filter.buffer as ArrayBuffer)
    return system.forbidNewPrivileges() && system.call(number, setFilter, allThreads, address) === 0n
  }
}
