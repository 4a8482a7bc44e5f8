import { setTimeout as pause } from 'node:timers/promises'
import { durationMs } from '../../src/kernel/config.ts'
import { Refusal } from '../command/api.ts'
import { type Option, UsageError } from '../command/arguments.ts'
import type { Call } from '../command/call.ts'
import { oneLine } from '../command/output.ts'
import { type Control, jsonOption } from './control/control.ts'
import type { InstanceJson, OperationJson } from './control/wire.ts'

/** The options of commands that start an operation. */
export const waitOptions: Readonly<Record<'wait' | 'timeout' | 'json', Option>> = {
  wait: { short: 'w', words: 'waits until it is done, and fails if it fails' },
  timeout: { value: '<duration>', words: 'how long --wait waits: 90s, 10m (the default), 2h' },
  ...jsonOption,
}

/** Exit codes. */
export const done = 0
export const failed = 1
export const stillInProgress = 3

const lookEveryMs = 500

/**
 * Prints what became of an instance's operation, and resolves with the exit code. With `--wait` it first waits until
 * the operation has ended.
 */
export async function tellOperation(call: Call, control: Control, started: InstanceJson): Promise<number> {
  const { args, output } = call
  const instance = args.flag('wait') ? await waitFor(call, control, started) : started
  // One that was over already belongs to an earlier request: this one had nothing to do.
  const isNew = started.operation !== null && !isEnded(started.operation)
  const operation = isNew ? ofSame(instance, started) : null
  // Only the first answer has it.
  const { password } = started
  if (args.flag('json')) output.json(password === undefined ? instance : { ...instance, password })
  else {
    output.say(words(instance, operation))
    if (password !== undefined) output.say(`password: ${password}`)
    if (password !== undefined && output.columns !== null)
      output.note(output.noteLook('dim', 'The password is shown only now.'))
  }
  if (!operation || operation.status === 'succeeded') return done
  if (isEnded(operation)) return failed
  return args.flag('wait') ? stillInProgress : done
}

/** The milliseconds of `--timeout`. Throws a UsageError unless it is a duration. */
export function timeoutOf({ args }: Call): number {
  const text = args.text('timeout') ?? '10m'
  if (args.text('timeout') !== undefined && !args.flag('wait'))
    throw new UsageError('--timeout is the limit of --wait, which is not given')
  const ms = durationMs(text)
  if (Number.isNaN(ms)) throw new UsageError(`--timeout: "${text}" is not a duration such as 90s, 10m or 2h`)
  return ms
}

async function waitFor(call: Call, control: Control, started: InstanceJson): Promise<InstanceJson> {
  const until = performance.now() + timeoutOf(call)
  const { subdomain } = started
  const shown = new Set<string>()
  let instance = started
  while (instance.operation && !isEnded(instance.operation) && performance.now() < until) {
    await pause(lookEveryMs, undefined, { signal: call.signal })
    try {
      instance = await control.ask<InstanceJson>('getAdminInstance', { path: { subdomain } })
    } catch (error) {
      // What was purged is not there any more.
      if (error instanceof Refusal && error.status === 404)
        return { ...instance, operation: null, status: 'deleted' }
      throw error
    }
    showSteps(call, instance.operation, shown)
  }
  return instance
}

/** Each step that is done, on standard error. */
function showSteps({ output }: Call, operation: OperationJson | null, shown: Set<string>): void {
  for (const { name, status, detail } of operation?.steps ?? []) {
    if (shown.has(name) || (status !== 'done' && status !== 'failed')) continue
    shown.add(name)
    const mark = status === 'done' ? output.noteLook('green', '✓') : output.noteLook('red', '✗')
    output.note(`${mark} ${name}${detail ? output.noteLook('dim', ` ${oneLine(detail)}`) : ''}`)
  }
}

/** The operation that was started; another one, asked for since, stands for a superseded one. */
function ofSame(instance: InstanceJson, started: InstanceJson): OperationJson | null {
  const { operation } = instance
  return operation && started.operation && operation.id !== started.operation.id
    ? { ...operation, status: 'superseded' }
    : operation
}

function words({ subdomain, status, url }: InstanceJson, operation: OperationJson | null): string {
  if (!operation) return `${subdomain}: ${status}`
  const { kind, id, error } = operation
  if (operation.status === 'succeeded')
    return `${subdomain}: ${kind} succeeded, ${status}${status === 'running' ? ` at ${url}` : ''}`
  if (operation.status === 'failed')
    return `${subdomain}: ${kind} failed, ${status}: ${oneLine(error ?? 'no reason is known')}`
  if (operation.status === 'superseded')
    return `${subdomain}: another operation came in between (${kind}, ${id}); ${status}`
  return `${subdomain}: ${kind} in progress (${id})`
}

const isEnded = ({ status }: OperationJson) => ['succeeded', 'failed', 'superseded'].includes(status)
