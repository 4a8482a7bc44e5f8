import { setTimeout as pause } from 'node:timers/promises'
import { durationWords } from '../../views/components/time-words.ts'
import { type Argument, UsageError } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { type Control, controlOf, jsonOption } from './control/control.ts'
import { ago, columnLook, type Looks } from './control/look.ts'
import type { Operation } from './control/operations.ts'
import { done, failed, stillInProgress, timeoutOf, waitOptions } from './waiting.ts'

interface FleetUpgradeJson {
  id: string
  state: string
  reason: string | null
  image: string
  wave: number
  waves: { wave: number; total: number; by_status: Record<string, number> }[]
  actor: { name: string } | null
  created_at: string
  finished_at: string | null
  instances?: { subdomain: string; wave: number; status: string; reason: string | null }[]
}

interface PreviewJson {
  image: string
  total: number
  about_ms: number
  measured: boolean
  waves: { wave: number; instances: { subdomain: string; left_out: string | null }[] }[]
}

const idArgument: Argument = { name: 'id', words: 'the id of a fleet upgrade', example: 'fup_01k3' }

const order = {
  image: { value: '<image>', words: 'another image than the configured one' },
  first: { value: '<name>', many: true, words: 'an instance that goes first; may be repeated' },
  parallel: { value: '<number>', words: 'how many at a time; 2 by default' },
  'halt-after': { value: '<number>', words: 'halts after so many failures; 1 by default' },
  soak: { value: '<duration>', words: 'the wait between two waves; 5m by default' },
} as const

const lookEveryMs = 1000

const stateLooks: Looks = {
  ...{ done: 'green', halted: 'red', running: 'yellow', paused: 'yellow' },
  ...{ cancelling: 'yellow', undoing: 'yellow', cancelled: 'dim', undone: 'dim' },
}
const memberLooks: Looks = {
  ...{ upgraded: 'green', failed: 'red', unhealthy: 'red', kept: 'red' },
  ...{ waiting: 'yellow', upgrading: 'yellow', 'rolling-back': 'yellow', skipped: 'yellow' },
  'rolled-back': 'dim',
}

/** The states in which nothing more happens until an operator decides. */
const atRest = ['paused', 'halted', 'done', 'cancelled', 'undone']

/** How a command wants a fleet upgrade to end; null takes any end. */
type Goal = 'done' | 'paused' | 'cancelled' | 'undone' | null

/** The statuses of instances that did not get what everything else of a fleet upgrade in this state got. */
const shortOf: Readonly<Record<string, readonly string[]>> = {
  done: ['failed', 'unhealthy', 'skipped'],
  undone: ['kept'],
}

const list: Command = {
  name: 'upgrades',
  takes: [],
  needsRepo: false,
  summary: 'lists fleet upgrades, newest first',
  details: 'longhouse upgrades show <id> shows one with its instances.',
  options: jsonOption,
  run: async call => {
    const { args, output, now } = call
    const answer = await controlOf(call).ask<{ upgrades: FleetUpgradeJson[] }>('listAdminUpgrades')
    if (args.flag('json')) output.json(answer)
    else if (answer.upgrades.length === 0) output.note('There was no fleet upgrade yet.')
    else {
      const rows = answer.upgrades.map(each => [
        each.id,
        each.state,
        each.image,
        counts(each),
        ago(each.created_at, now),
        each.actor?.name ?? '',
      ])
      const headings = ['ID', 'STATE', 'IMAGE', 'INSTANCES', 'STARTED', 'BY']
      sayTable(output, headings, rows, columnLook(1, stateLooks))
    }
    return done
  },
}

const show: Command = {
  name: 'upgrades show',
  takes: [idArgument],
  needsRepo: false,
  summary: 'shows a fleet upgrade with its instances',
  details:
    'With --wait, waits until it is over or an operator has to decide. The exit code is 1 if it halted, if instances failed or ' +
    'were skipped, or if they were not rolled back.',
  options: waitOptions,
  run: async call => {
    timeoutOf(call)
    const control = controlOf(call)
    return tell(call, control, await one(control, call.args.id), null)
  },
}

const preview: Command = {
  name: 'upgrades preview',
  takes: [],
  needsRepo: false,
  summary: 'shows the waves of a fleet upgrade; starts nothing',
  details: 'Takes the options of upgrades start.',
  options: { ...order, ...jsonOption },
  run: async call => {
    const { args, output } = call
    const { first, ...rest } = orderOf(call)
    const shown = await controlOf(call).ask<PreviewJson>('getAdminUpgradesPreview', {
      query: { ...rest, first: first?.join(',') },
    })
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    const about = `about ${durationWords(shown.about_ms)}${shown.measured ? '' : ', estimated'}`
    output.say(`${shown.total} instances to ${shown.image}, ${about}`)
    const rows = shown.waves.flatMap(({ wave, instances }) =>
      instances.map(({ subdomain, left_out: why }) => [String(wave), subdomain, why ?? '']),
    )
    if (rows.length > 0) sayTable(output, ['WAVE', 'INSTANCE', 'LEFT OUT'], rows)
    return done
  },
}

const start: Command = {
  name: 'upgrades start',
  takes: [],
  needsRepo: false,
  summary: 'upgrades the fleet in waves: one instance, 5 %, all',
  details:
    'It halts when instances fail. With --wait, waits until it is over or an operator has to decide; the exit code is 0 only if ' +
    'every instance was upgraded and is healthy.',
  options: { ...order, ...waitOptions },
  run: async call => {
    timeoutOf(call)
    const body = orderOf(call)
    const control = controlOf(call)
    return tell(call, control, await control.ask<FleetUpgradeJson>('createAdminUpgrade', { body }), 'done')
  },
}

const endWords = {
  done: 'every instance was upgraded and is healthy',
  paused: 'it is paused',
  cancelled: 'it was cancelled',
  undone: 'every instance of it was rolled back',
}

/** A command that gives an order to a fleet upgrade. */
function ordering(
  verb: string,
  operation: Operation,
  goal: NonNullable<Goal>,
  summary: string,
  body?: (call: Call) => unknown,
): Command {
  return {
    name: `upgrades ${verb}`,
    takes: [idArgument],
    needsRepo: false,
    summary,
    details: `With --wait, waits until it is over or an operator has to decide; the exit code is 0 only if ${endWords[goal]}.`,
    options: {
      ...(body && { wave: { value: '<number>', words: 'only this wave, from 1' } }),
      ...waitOptions,
    },
    run: async call => {
      timeoutOf(call)
      const sent = body?.(call)
      const control = controlOf(call)
      const answer = await control.ask<FleetUpgradeJson>(operation, {
        path: { id: call.args.id },
        ...(sent !== undefined && { body: sent }),
      })
      return tell(call, control, answer, goal)
    },
  }
}

function orderOf({ args }: Call) {
  const first = args.texts('first')
  const given = {
    image: args.text('image'),
    first: first.length > 0 ? first : undefined,
    parallel: numberOf(args.text('parallel'), 'parallel'),
    halt_after: numberOf(args.text('halt-after'), 'halt-after'),
    soak: args.text('soak'),
  }
  return given
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UsageError(`--${name}: "${text}" is not a whole number`)
}

function one(control: Control, id: string): Promise<FleetUpgradeJson> {
  return control.ask<FleetUpgradeJson>('getAdminUpgrade', { path: { id } })
}

/** Prints a fleet upgrade, with `--wait` once it is at rest, and resolves with the exit code. */
async function tell(call: Call, control: Control, answer: FleetUpgradeJson, goal: Goal): Promise<number> {
  const { args, output, signal } = call
  const until = performance.now() + timeoutOf(call)
  let upgrade = answer
  let told = ''
  while (args.flag('wait') && !atRest.includes(upgrade.state) && performance.now() < until) {
    await pause(lookEveryMs, undefined, { signal })
    upgrade = await one(control, answer.id)
    const line = `wave ${Math.min(upgrade.wave, upgrade.waves.length)} of ${upgrade.waves.length}: ${counts(upgrade)}`
    if (line !== told) output.note(output.noteLook('dim', line))
    told = line
  }
  if (args.flag('json')) output.json(upgrade)
  else {
    output.say(`${upgrade.id}: ${upgrade.state}, to ${upgrade.image}: ${counts(upgrade)}`)
    if (upgrade.reason !== null) output.say(upgrade.reason)
    const rows = (upgrade.instances ?? []).map(each => [
      String(each.wave),
      each.subdomain,
      each.status,
      each.reason ?? '',
    ])
    if (rows.length > 0) {
      const headings = ['WAVE', 'INSTANCE', 'STATUS', '']
      sayTable(output, headings, rows, columnLook(2, memberLooks))
    }
  }
  if (!atRest.includes(upgrade.state)) return args.flag('wait') ? stillInProgress : done
  return isReached(upgrade, goal) ? done : failed
}

function isReached({ state, waves }: FleetUpgradeJson, goal: Goal): boolean {
  if (state === 'halted' || (goal !== null && state !== goal)) return false
  return !waves.some(wave => shortOf[state]?.some(status => (wave.by_status[status] ?? 0) > 0))
}

/** `3 upgraded, 1 waiting`. */
function counts({ waves }: FleetUpgradeJson): string {
  const all = new Map<string, number>()
  for (const { by_status: byStatus } of waves) {
    for (const [status, number] of Object.entries(byStatus))
      if (number > 0) all.set(status, (all.get(status) ?? 0) + number)
  }
  return [...all].map(([status, number]) => `${number} ${status}`).join(', ') || 'no instances'
}

export const ofFleetUpgrades: readonly Command[] = [
  list,
  preview,
  start,
  show,
  ordering('pause', 'pauseAdminUpgrade', 'paused', 'begins no further upgrades until it is resumed'),
  ordering('resume', 'resumeAdminUpgrade', 'done', 'goes on, and accepts the failures until now'),
  ordering('cancel', 'cancelAdminUpgrade', 'cancelled', 'ends a fleet upgrade; what was upgraded stays so'),
  ordering(
    'undo',
    'undoAdminUpgrade',
    'undone',
    'rolls back what was upgraded, the newest first',
    ({ args }) => {
      const wave = numberOf(args.text('wave'), 'wave')
      return wave === undefined ? {} : { wave }
    },
  ),
]
