import { maskJson, maskSecrets } from '../secrets/mask.ts'
import type { RunEnd } from './run-process.ts'

/** How a run ended, without the values of the secrets that it got. */
export function maskEnd(end: RunEnd, secrets: readonly string[]): RunEnd {
  if (end.status === 'succeeded') return { ...end, result: maskJson(end.result, secrets) }
  const { message, stack } = end.error
  return {
    ...end,
    error: { message: maskSecrets(message, secrets), stack: stack && maskSecrets(stack, secrets) },
  }
}
