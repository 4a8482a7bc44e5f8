import type { JobsService, ManifestError, ManifestState } from '../../jobs/contract.ts'
import type { RepoService } from '../../repo/contract.ts'
import { within } from '../../web/within.ts'
import { flushPacket, onBand, packet } from '../packet-lines.ts'
import type { ArrivedPush, PushResult, Taken } from './pushes.ts'

const mostErrors = 20
/** How often the client hears of a load that takes long. */
const everyMs = 5000

export interface Answering {
  repo: Pick<RepoService, 'status'>
  manifest: Pick<JobsService['manifest'], 'reload' | 'state'>
  jobIds(): readonly string[]
  /** The address of the instance. */
  address: string
}

/**
 * Answers a push: what is refused and why, else what the manifest said, as lines that the client shows, and then what
 * became of each branch. Meanwhile the client hears that the connection is in use.
 */
export async function* answerPush(
  { capabilities, result }: ArrivedPush,
  parts: Answering,
): AsyncGenerator<Buffer> {
  const banded = capabilities.has('side-band-64k')
  let received = await within(everyMs, result)
  for (; !received; received = await within(everyMs, result)) if (banded) yield stillHere
  const { outcomes, taken } = received
  if (banded) {
    const details = new Set(outcomes.flatMap(({ refused }) => refused?.detail ?? []))
    for (const detail of details) yield wordsPacket(detail)
    if (taken) yield* takenWords(taken, parts)
  }
  const end = report(outcomes)
  if (!capabilities.has('report-status')) yield banded ? flushPacket : Buffer.alloc(0)
  else yield banded ? Buffer.concat([onBand('data', end), flushPacket]) : end
}

/** Resolves when the files of the push are live, refused or waiting. */
async function loadOf({ commit, loaded }: Taken, { manifest }: Answering): Promise<ManifestState> {
  await loaded
  const state = manifest.state()
  // Files that are not code become part of the live set when they are committed here, which these were elsewhere.
  return state.status === 'ok' && state.commit !== commit ? manifest.reload() : state
}

async function* takenWords(taken: Taken, parts: Answering): AsyncGenerator<Buffer> {
  const { branch, commits, changes, before } = taken
  const { repo, manifest, jobIds, address } = parts
  yield wordsPacket(`${branch}: ${counted(commits, 'commit')}, ${counted(changes.length, 'file')} changed.`)
  const loading = loadOf(taken, parts).then(
    state => ({ state }),
    (error: Error) => ({ state: null, error }),
  )
  let told = false
  let loaded = await within(everyMs, loading)
  for (; !loaded; loaded = await within(everyMs, loading)) {
    const installing = manifest.state().waitingFor === 'packages'
    yield installing && !told ? wordsPacket('Installing the packages …') : stillHere
    told ||= installing
  }
  // The push was taken, whatever fails from here on.
  const status = await repo.status().catch(() => null)
  const uncommitted = status?.uncommitted ?? []
  const lines = loaded.state
    ? manifestWords(loaded.state, { before, jobs: jobIds().length, address, uncommitted })
    : [`The commits are here, but could not be loaded: ${loaded.error.message}.`]
  for (const line of lines) yield wordsPacket(line)
  if (!status)
    yield wordsPacket('The push was taken, but the state of the jobs repo cannot be read. See its page.')
  else if (status.remote.connected) yield wordsPacket(`The next sync sends them to ${status.remote.url}.`)
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** What the manifest says of a push that was taken, a line each. */
function manifestWords(
  state: ManifestState,
  {
    before,
    jobs,
    address,
    uncommitted,
  }: { before: ManifestState; jobs: number; address: string; uncommitted: readonly string[] },
): string[] {
  const running = jobs === 1 ? 'The previous job keeps' : `The previous ${jobs} jobs keep`
  if (state.status === 'ok') {
    // The difference of an earlier load stays until there is another one.
    const difference = state.lastChange === before.lastChange ? null : state.lastChange
    const head = state.commit === null ? 'Live.' : `Live at ${state.commit.slice(0, 12)}.`
    if (!difference) return [`${head} No job has changed.`]
    const { added, removed, changed } = difference
    const more = added + removed + changed - difference.jobs.length
    return [
      `${head} Jobs: ${added} added, ${removed} removed, ${changed} changed.`,
      ...difference.jobs.map(({ id, kind, fields, cron, timezone }) => {
        if (kind === 'added') return `  + ${id} (${cron}, ${timezone})`
        return kind === 'removed' ? `  - ${id}` : `  ~ ${id}: ${fields.join(', ')}`
      }),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ]
  }
  const errors = [
    ...state.errors.slice(0, mostErrors).map(each => `  ${errorWords(each)}`),
    ...(state.errors.length > mostErrors ? [`  and ${state.errors.length - mostErrors} more`] : []),
  ]
  if (state.waitingFor === 'confirmation')
    return [
      'The commits are here, and wait:',
      ...errors,
      `${running} running. Confirm it at ${address}/repo.`,
    ]
  if (state.waitingFor !== null) return ['The commits are here, and wait:', ...errors, `${running} running.`]
  return [
    'The commits are here, but not live:',
    ...errors,
    ...whatToDo(state, { address, uncommitted }).map((line, at) =>
      at === 0 ? `${running} running. ${line}` : line,
    ),
  ]
}

/** A file that is being edited on the pages is not the fault of the person who pushes. */
function whatToDo(
  { errors }: ManifestState,
  { address, uncommitted }: { address: string; uncommitted: readonly string[] },
): string[] {
  const wrong = new Set(errors.map(({ file }) => file))
  const edited = uncommitted.filter(path => wrong.has(path))
  const names = edited.join(', ')
  const verb = edited.length === 1 ? 'has an edit' : 'have edits'
  const lines =
    edited.length === 0
      ? []
      : [
          `${names} ${verb} on the instance that is in no commit. Finish or undo it at ${address}/repo/uncommitted.`,
        ]
  if (edited.length === wrong.size && edited.length > 0) return lines
  if (errors.every(({ file }) => file === 'package.json')) {
    const retried = 'Failures of the network are retried automatically.'
    return [...lines, `${retried} For anything else, fix package.json and push again.`]
  }
  return [...lines, `Fix this and push again, or edit the files at ${address}/repo.`]
}

function errorWords({ file, line, column, message }: ManifestError): string {
  const place = [file, line, column].filter(each => each !== null).join(':')
  return place === '' ? message : `${place}: ${message}`
}

/** A line that the client shows after `remote: `. */
function wordsPacket(line: string): Buffer {
  return onBand('words', `${plain(line)}\n`)
}

/** Neither a control character nor a line end of a customer's file reaches a terminal. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ')

/** Keeps the connection from looking idle: an empty packet of the data band. */
const stillHere = onBand('data', '')

/**
 * The end of the answer: what became of each branch; gitprotocol-pack(5), "Report Status". The client prints the
 * reason of a refusal behind its branch.
 */
function report(outcomes: PushResult['outcomes']): Buffer {
  const lines = outcomes.map(({ command: { ref }, refused }) =>
    packet(refused ? `ng ${ref} ${plain(refused.reason)}\n` : `ok ${ref}\n`),
  )
  return Buffer.concat([packet('unpack ok\n'), ...lines, flushPacket])
}
