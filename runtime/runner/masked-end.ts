import { maskJson, maskSecrets, maskStream } from '../masking/mask.ts'
import type { RunEnd } from './run-process.ts'
import { failureLimits } from './running.ts'

/** How a run ended, without the values of the secrets that it got. */
export function maskEnd(end: RunEnd, secrets: readonly string[]): RunEnd {
  if (end.status === 'succeeded') return { ...end, result: maskJson(end.result, secrets) }
  const { message, stack } = end.error
  return {
    ...end,
    error: {
      message: maskCut(message, failureLimits.message, secrets),
      stack: stack && maskCut(stack, failureLimits.stack, secrets),
    },
  }
}

/** Of a text that was cut, the end may be the beginning of a value: that goes too. */
function maskCut(text: string, limit: number, secrets: readonly string[]): string {
  return text.length < limit ? maskSecrets(text, secrets) : maskStream(secrets).push(text)
}
