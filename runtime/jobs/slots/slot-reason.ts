import { lateMs } from '../follow-up.ts'

// Reasons in the ledger for slots that did not run on time. `leapMs` is how far the clock was set forward just before.

export function lateReason(lateBy: number, leapMs: number): string {
  const words = `the run started ${lateness(lateBy)} late`
  return leapMs > 0 && lateBy <= leapMs + lateMs ? `${words}: ${leap(leapMs)}` : words
}

function leap(ms: number): string {
  return `the clock jumped forward by ${lateness(ms)}: it was set, or the machine slept`
}

function lateness(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 600) return `${seconds} seconds`
  return seconds < 3 * 3600 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`
}

export const diskWasFull = 'the disk was full, so no run could be recorded'

export function absence(lateBy: number, leapMs: number): string {
  if (leapMs > 0 && lateBy <= leapMs + lateMs) return leap(leapMs)
  return lateBy > lateMs ? 'the instance was not running' : 'the instance was busy'
}

export function unlisted(gap: { to: number }): string {
  return `the instance was not running until at least ${new Date(gap.to).toISOString()}; the slots up to then are not listed`
}
