import { getRawPointer } from 'node:ffi'
import { isWithin, type Reach } from './reach.ts'
import type { SystemCalls } from './system-calls.ts'

/**
 * Landlock, by which Linux restricts a process and everything it starts, without privileges. Reading, writing and
 * executing are limited to given folders; other files may be seen (`stat`) but not opened. The numbers are those of
 * `linux/landlock.h`, the same on every processor.
 */
const call = { create: 444n, addRule: 445n, restrict: 446n }
const askVersion = 1n
const pathBeneath = 1n

const right = {
  execute: 1n << 0n,
  writeFile: 1n << 1n,
  readFile: 1n << 2n,
  readFolder: 1n << 3n,
  /** Remove and create entries of every kind but devices. */
  changeFolder: 0b1_0111_1011_0000n | (1n << 3n),
  makeDevice: (1n << 6n) | (1n << 11n),
  /** Move between folders, from version 2 on: version 1 always forbids it. */
  refer: 1n << 13n,
  /** From version 3 on. */
  truncate: 1n << 14n,
}
/** From version 6 on: no signals to processes outside the same restriction. */
const signalScope = 1n << 1n

const reading = right.execute | right.readFile | right.readFolder
const ofFiles = right.execute | right.readFile | right.writeFile | right.truncate

const device = /^\/dev\/[a-z]+$/

/** The Landlock version of the system, from 1 on; 0 or less without support. */
export function landlockVersion(system: SystemCalls): number {
  return Number(system.call(call.create, 0n, 0n, askVersion))
}

/**
 * Prepares to restrict this process and everything it starts, which takes longer than the start of that. Returns a
 * function that starts it, which answers false if the system refuses; null if the system cannot do it at all.
 */
export function prepareRestriction(reach: Reach, system: SystemCalls): (() => boolean) | null {
  const version = landlockVersion(system)
  if (version < (reach.moves ? 2 : 1)) return null
  const known =
    right.makeDevice |
    reading |
    right.writeFile |
    right.changeFolder |
    (version >= 2 ? right.refer : 0n) |
    (version >= 3 ? right.truncate : 0n)
  const attributes = new BigUint64Array([known, 0n, version >= 6 ? signalScope : 0n])
  // Older systems refuse unknown fields.
  const size = version >= 6 ? 24n : version >= 4 ? 16n : 8n
  const ruleset = system.call(call.create, getRawPointer(attributes.buffer), size, 0n)
  if (ruleset < 0) return null
  // Of one path at a time: which rights, and the number of the place.
  const rule = new DataView(new ArrayBuffer(16))
  const ruleAt = getRawPointer(rule.buffer as ArrayBuffer)
  const allow = (path: string, rights: bigint, followLink: boolean) => {
    const place = system.openPlace(path, { followLink })
    if (place < 0n) return
    rule.setInt32(8, Number(place), true)
    const add = (some: bigint) => {
      rule.setBigUint64(0, some & known, true)
      return system.call(call.addRule, ruleset, pathBeneath, ruleAt) === 0n
    }
    // Rights that exist only for folders are refused for a file.
    if (device.test(path) || !add(rights)) add(rights & ofFiles)
    system.close(place)
  }
  const allowWhere = (chosen: (path: string) => boolean) => {
    for (const path of reach.read) if (chosen(path)) allow(path, reading, true)
    // Not through links: a link in the repo may lead to places that must not be written.
    for (const path of reach.write) if (chosen(path)) allow(path, ~right.makeDevice, false)
  }
  const changes = (path: string) => reach.changing !== undefined && isWithin(path, reach.changing)
  // In /proc a process may read only the processes that it may trace, so the runtime’s environment stays private.
  allow('/proc', reading, true)
  allowWhere(path => !changes(path))
  return () => {
    allowWhere(changes)
    const restricted = system.forbidNewPrivileges() && system.call(call.restrict, ruleset, 0n, 0n) === 0n
    system.close(ruleset)
    return restricted
  }
}
