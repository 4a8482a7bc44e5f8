import type { FleetUpgradeState, MemberStatus } from '../../../plugins/upgrades/contract.ts'
import { type Look, lookBadge } from '../../components/status.tsx'

const states: Record<FleetUpgradeState, Look> = {
  running: { tone: 'busy', shape: 'turning', word: 'Running' },
  paused: { tone: 'warn', shape: 'square', word: 'Paused' },
  halted: { tone: 'bad', shape: 'cross', word: 'Halted' },
  cancelling: { tone: 'busy', shape: 'turning', word: 'Cancelling' },
  undoing: { tone: 'busy', shape: 'turning', word: 'Undoing' },
  done: { tone: 'ok', shape: 'check', word: 'Done' },
  cancelled: { tone: 'idle', shape: 'slash', word: 'Cancelled' },
  undone: { tone: 'idle', shape: 'slash', word: 'Undone' },
}

const statuses: Record<MemberStatus, Look> = {
  waiting: { tone: 'idle', shape: 'ring', word: 'Waiting' },
  upgrading: { tone: 'busy', shape: 'turning', word: 'Upgrading' },
  upgraded: { tone: 'ok', shape: 'check', word: 'Upgraded' },
  unhealthy: { tone: 'bad', shape: 'triangle', word: 'Upgraded, unhealthy' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  skipped: { tone: 'idle', shape: 'slash', word: 'Skipped' },
  'rolling-back': { tone: 'busy', shape: 'turning', word: 'Rolling back' },
  'rolled-back': { tone: 'idle', shape: 'check', word: 'Rolled back' },
  kept: { tone: 'warn', shape: 'triangle', word: 'Not rolled back' },
}

export function UpgradeState({ state }: { state: FleetUpgradeState }) {
  return lookBadge(states[state])
}

export function MemberState({ status }: { status: MemberStatus }) {
  return lookBadge(statuses[status])
}

/** Counts as the words of a line: `3 upgraded, 1 failed`; what is none is left out. */
export function countWords(counts: Readonly<Record<MemberStatus, number>>): string {
  return Object.entries(statuses)
    .flatMap(([status, { word }]) => {
      const n = counts[status as MemberStatus]
      return n > 0 ? [`${n} ${word.toLowerCase()}`] : []
    })
    .join(', ')
}
