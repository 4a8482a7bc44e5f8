import { getRawPointer } from 'node:ffi'
import type { SystemCalls } from './system-calls.ts'

/**
 * Landlock: what Linux itself keeps a process and everything that it starts from, without any rights of ours. Reading,
 * writing and executing are bound to folders; what is not among them may be seen (`stat`), but not opened. Numbers are
 * those of `linux/landlock.h`, the same on every processor.
 */
const call = { create: 444n, addRule: 445n, restrict: 446n }
const askVersion = 1n
const pathBeneath = 1n

const right = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readFolder: 1n << 3n,
  /** To remove and to make entries of every kind but devices. */
  changeFolder: 0b1_0111_1011_0000n | (1n << 3n),
  makeDevice: (1n << 6n) | (1n << 11n),
  /** To move between folders, from version 2 on: version 1 forbids it always. */
  refer: 1n << 13n,
  /** From version 3 on. */
  truncate: 1n << 14n,
}
/** From version 6 on: no signals to processes outside the same restriction. */
const signalScope = 1n << 1n

const reading = right.execute | right.readFile | right.readFolder
const ofFiles = right.execute | right.readFile | right.writeFile | right.truncate

export interface Reach {
  /** Absolute paths; a folder stands for all that it holds. */
  read: readonly string[]
  write: readonly string[]
  /** The program moves files from one folder to another, and cannot do without. */
  moves?: boolean
}

/** What the system knows of it, from 1 on; 0 or less when nothing. */
export function landlockVersion(system: SystemCalls): number {
  return Number(system.call(call.create, 0n, 0n, askVersion))
}

/** Binds this process and what it starts from now on. False where the system cannot; then nothing has changed. */
export function restrictTo(reach: Reach, system: SystemCalls): boolean {
  const version = landlockVersion(system)
  if (version < (reach.moves ? 2 : 1)) return false
  const known =
    right.makeDevice |
    reading |
    right.writeFile |
    right.changeFolder |
    (version >= 2 ? right.refer : 0n) |
    (version >= 3 ? right.truncate : 0n)
  const attributes = new BigUint64Array([known, 0n, version >= 6 ? signalScope : 0n])
  // Older systems refuse fields that they do not know.
  const size = version >= 6 ? 24n : version >= 4 ? 16n : 8n
  const ruleset = system.call(call.create, getRawPointer(attributes.buffer), size, 0n)
  if (ruleset < 0) return false
  const allow = (path: string, rights: bigint, followLink: boolean) => {
    const place = system.openPlace(path, { followLink })
    if (place < 0n) return
    const add = (some: bigint) =>
      system.call(call.addRule, ruleset, pathBeneath, getRawPointer(rule(place, some & known))) === 0n
    // What only folders can be allowed is refused for a file.
    if (!add(rights)) add(rights & ofFiles)
    system.close(place)
  }
  // In /proc a process may read only the processes that it may trace, so the runtime’s environment stays private.
  for (const path of [...reach.read, '/proc']) allow(path, reading, true)
  // What a link in the repo leads to was not meant to be written.
  for (const path of reach.write) allow(path, ~right.makeDevice, false)
  const restricted = system.forbidNewPrivileges() && system.call(call.restrict, ruleset, 0n, 0n) === 0n
  system.close(ruleset)
  return restricted
}

function rule(place: bigint, rights: bigint): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(16))
  view.setBigUint64(0, rights, true)
  view.setInt32(8, Number(place), true)
  return view.buffer as ArrayBuffer
}
