import { Mark, type Shape, type Tone } from './mark.tsx'
import { durationWords } from './time-words.ts'

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'skipped'

export interface Step {
  name: string
  state: StepState
  durationMs?: number | null
  /** Its result, or why it failed. */
  detail?: string | null
}

const looks: Record<StepState, { tone: Tone; shape: Shape; word: string }> = {
  pending: { tone: 'idle', shape: 'ring', word: 'to do' },
  running: { tone: 'busy', shape: 'turning', word: 'running' },
  done: { tone: 'ok', shape: 'check', word: 'done' },
  failed: { tone: 'bad', shape: 'cross', word: 'failed' },
  skipped: { tone: 'idle', shape: 'slash', word: 'skipped' },
}

/** The steps of long work, updated as they happen. */
export function StepList({ steps, label }: { steps: readonly Step[]; label: string }) {
  return (
    <ol class="steps" aria-label={label}>
      {steps.map(step => {
        const { tone, shape, word } = looks[step.state]
        return (
          <li class={`step tone-${tone}`} data-state={step.state}>
            <Mark shape={shape} size={14} />
            <span>
              {step.name}
              <span class="unseen">, {word}</span>
            </span>
            <span class="fine num">
              {typeof step.durationMs === 'number'
                ? durationWords(step.durationMs)
                : step.state === 'running'
                  ? '…'
                  : ''}
            </span>
            {step.detail ? <p class="detail">{step.detail}</p> : null}
          </li>
        )
      })}
    </ol>
  )
}
