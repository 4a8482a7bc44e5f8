import type { Child } from 'hono/jsx'
import type { InstanceStatus as InstanceStatusName } from '../../plugins/provisioner/contract.ts'
import type { Run, RunStatus as RunStatusName, SlotOutcome } from '../../runtime/jobs/contract.ts'
import { Mark, type Shape, type Tone } from './mark.tsx'

/** How a status is shown. */
export interface Look {
  tone: Tone
  shape: Shape
  word: string
}

const instances: Record<InstanceStatusName, Look> = {
  provisioning: { tone: 'busy', shape: 'turning', word: 'Provisioning' },
  running: { tone: 'ok', shape: 'check', word: 'Running' },
  unhealthy: { tone: 'warn', shape: 'triangle', word: 'Unhealthy' },
  stopping: { tone: 'busy', shape: 'turning', word: 'Stopping' },
  stopped: { tone: 'idle', shape: 'square', word: 'Stopped' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  deprovisioning: { tone: 'busy', shape: 'turning', word: 'Removing' },
  deleted: { tone: 'idle', shape: 'slash', word: 'Removed' },
}

const runs: Record<RunStatusName, Look> = {
  queued: { tone: 'idle', shape: 'clock', word: 'Queued' },
  running: { tone: 'busy', shape: 'turning', word: 'Running' },
  succeeded: { tone: 'ok', shape: 'check', word: 'Succeeded' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  timed_out: { tone: 'bad', shape: 'clock', word: 'Timed out' },
  cancelled: { tone: 'idle', shape: 'slash', word: 'Cancelled' },
  interrupted: { tone: 'warn', shape: 'triangle', word: 'Interrupted' },
}

const slots: Record<SlotOutcome, Look> = {
  ran: { tone: 'ok', shape: 'check', word: 'Ran' },
  late: { tone: 'warn', shape: 'clock', word: 'Ran late' },
  skipped: { tone: 'idle', shape: 'slash', word: 'Skipped' },
  missed: { tone: 'bad', shape: 'cross', word: 'Missed' },
  interrupted: { tone: 'warn', shape: 'triangle', word: 'Interrupted' },
}

/** A word with a shape and a colour. With `href` it is a link. */
export function Badge(props: { tone: Tone; shape: Shape; href?: string | undefined; children: Child }) {
  const { tone, shape, href, children } = props
  const inside = (
    <>
      <Mark shape={shape} />
      {children}
    </>
  )
  return href ? (
    <a class={`badge tone-${tone}`} href={href}>
      {inside}
    </a>
  ) : (
    <span class={`badge tone-${tone}`}>{inside}</span>
  )
}

export function InstanceStatus({ status, href }: { status: InstanceStatusName; href?: string }) {
  return lookBadge(instances[status], href)
}

export function RunStatus({ status, href }: { status: RunStatusName; href?: string }) {
  return lookBadge(runs[status], href)
}

/** The result of a due time: *Ran* alone does not help when the run then failed. */
export interface SlotEnd {
  outcome: SlotOutcome
  runStatus: RunStatusName | null
}

export function SlotStatus({ slot, href }: { slot: SlotEnd; href?: string | undefined }) {
  return lookBadge(slotLook(slot), href)
}

export const runTone = (status: RunStatusName): Tone => runs[status].tone
export const slotTone = (slot: SlotEnd): Tone => slotLook(slot).tone
export const slotWord = (slot: SlotEnd): string => slotLook(slot).word
/** True if it ran, and its run has not failed. */
export function slotIsWell({ outcome, runStatus }: SlotEnd): boolean {
  return (
    (outcome === 'ran' || outcome === 'late') &&
    (runStatus === null || ['queued', 'running', 'succeeded'].includes(runStatus))
  )
}
export const isOver = ({ status }: Pick<Run, 'status'>): boolean =>
  status !== 'queued' && status !== 'running'
export const runWord = (status: RunStatusName): string => runs[status].word

function slotLook({ outcome, runStatus }: SlotEnd): Look {
  const ran = outcome === 'ran' || outcome === 'late'
  return ran && runStatus !== null && runStatus !== 'succeeded' ? runs[runStatus] : slots[outcome]
}

/** A status as a badge. With `href` it is a link. */
export function lookBadge({ tone, shape, word }: Look, href?: string | undefined) {
  return (
    <Badge tone={tone} shape={shape} href={href}>
      {word}
    </Badge>
  )
}
