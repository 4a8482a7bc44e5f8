import { overloaded, Problem, tooLarge } from '../../../src/http/problem.ts'
import type { Logger } from '../../../src/log.ts'
import type { JobsService, ManifestState } from '../../jobs/contract.ts'
import { type RepoService, repoObstacle } from '../../repo/contract.ts'
import type { Room } from '../../volume/contract.ts'
import { within } from '../../web/within.ts'
import { type PacketReader, readPackets } from '../packet-lines.ts'
import { drop, feed, inTime } from './body.ts'
import { type PushRequest, parseCommands, type RefCommand, refusalOf } from './commands.ts'
import type { PushedChange } from './receive-protocol.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { busy, endedAccess, notReceived, type Refusal, refusedName, tooLong, tooMuch } from './refusals.ts'
import { turns } from './turns.ts'

export interface PushLimits {
  /** The longest that the body may take to arrive. */
  arrivalMs: number
  /** The longest that the client may send nothing while it is waited for. */
  idleMs: number
  /** The longest that it may take to check, once it has arrived. */
  checkMs: number
  /** The longest that a push waits for a load in progress. */
  patienceMs: number
  /** The largest pack. */
  packBytes: number
}

/** What became of a push, before the manifest is read. */
export interface PushResult {
  outcomes: { command: RefCommand; refused: Refusal | null }[]
  /** The commit that was taken, with the files that it changed; null if nothing was. */
  taken: Taken | null
}

/** A push that was taken. */
export interface Taken {
  branch: string
  commit: string
  commits: number
  changes: PushedChange[]
  /** The state of the manifest before. */
  before: ManifestState
  /** Settles when the files have been loaded. */
  loaded: Promise<unknown>
}

type Took = { refused: Refusal | null } & Pick<Taken, 'before' | 'loaded'>

/** A push that has arrived. */
export interface ArrivedPush {
  /** What the client understands. */
  capabilities: ReadonlySet<string>
  /** Never rejects. */
  result: Promise<PushResult>
}

/** Who pushes. */
export interface Pusher {
  /** Aborts when the client goes away: nothing is taken from then on. */
  gone: AbortSignal
  /** The name of the token. Of each, one push may wait for another to end. */
  token: string
  /** Rejects with a Problem once the client may no longer push. Asked when the body has arrived. */
  mayStill(): Promise<void>
}

/** Receives pushes, one at a time. */
export interface Pushes {
  /**
   * Reads a push to its end, and takes what may be taken. Null for a body without commands, by which git only tries its
   * password. Rejects with a Problem.
   */
  receive(body: AsyncIterable<Uint8Array>, by: Pusher): Promise<ArrivedPush | null>
  /** Ends one in progress; its files are all written, or none. */
  stop(): Promise<void>
}

export interface PushOptions {
  jobsDir: string
  cacheDir: string
  repo: RepoService
  manifest: JobsService['manifest']
  room: Room
  limits: PushLimits
  log: Logger
}

const commandBytes = 64 * 1024

export function openPushes(options: PushOptions): Pushes {
  const { repo, manifest, limits, log } = options
  const { packBytes } = limits
  const inTurn = turns()
  let going: { receiver: Receiver; ended: Promise<unknown> } | null = null
  let stopped = false

  /** Returns why the commit was refused, or what it changes. */
  const unpack = async (
    reader: PacketReader,
    receiver: Receiver,
    { from, to, arrived }: { from: string; to: string; arrived: () => void },
  ): Promise<{ refused: Refusal } | { refused: null; commits: number; changes: PushedChange[] }> => {
    const unpacked = receiver.ask({ op: 'unpack', repo: receiver.repo, from, to })
    const answered = unpacked.catch(() => {})
    const complete = await feed(reader, { input: receiver.input, answered, packBytes })
    arrived()
    if (!complete) return { refused: tooMuch(packBytes) }
    const answer = await within(limits.checkMs, unpacked)
    if (!answer) return { refused: tooLong }
    if (answer.refused) return answer
    for (const { path, kind } of answer.changes) {
      const refused = kind === 'removed' ? null : await refusedName(() => repo.files.acceptName(path))
      if (refused) return { refused }
    }
    return answer
  }

  const receive = async (
    reader: PacketReader,
    { commands }: PushRequest,
    { arrived, gone, mayStill }: { arrived: () => void } & Omit<Pusher, 'token'>,
  ): Promise<PushResult> => {
    if (stopped) throw overloaded('The instance is stopping. Push again when it is back.')
    options.room.require('Nothing was changed.')
    // Edits that load are committed first, so that they are in the way of no one who has not seen them.
    await within(limits.patienceMs, manifest.load())
    const { branch, head } = await repo.status()
    if (branch === null || head === null) {
      throw repoObstacle('The jobs repo has no commit on a branch yet. Its page says what is in the way.')
    }
    const outcomes = commands.map(command => ({
      command,
      refused: refusalOf(command, { branch, head: head.commit }),
    }))
    const wanted = outcomes.find(({ refused }) => refused === null)
    const to = wanted?.command.to
    if (!wanted || !to) {
      await drop(reader, packBytes)
      return { outcomes, taken: null }
    }
    const { jobsDir, cacheDir } = options
    const receiver = startReceiver({ jobsDir, cacheDir, shown: { branch, head: head.commit } })
    const work = async (): Promise<PushResult> => {
      const move = { from: head.commit, to }
      const unpacked = await unpack(reader, receiver, { ...move, arrived })
      wanted.refused = unpacked.refused
      if (unpacked.refused) return { outcomes, taken: null }
      // A client may take long to send a pack, and its token may be revoked meanwhile.
      wanted.refused = await endedAccess(mayStill)
      if (wanted.refused) return { outcomes, taken: null }
      const { refused, ...took } = await take(receiver, { branch, ...move, gone }, options)
      wanted.refused = refused
      if (refused) return { outcomes, taken: null }
      const { commits, changes } = unpacked
      return { outcomes, taken: { branch, commit: to, commits, changes, ...took } }
    }
    try {
      const ended = watched(options.room, work)
      going = { receiver, ended: ended.catch(() => {}) }
      return await ended
    } finally {
      going = null
      receiver.input.destroy()
      await receiver.end()
    }
  }

  /** An answer before the end of the body would cut the connection, and its words would be lost. */
  const refuseAll = async (reader: PacketReader, { commands }: PushRequest, error: unknown) => {
    if (!(error instanceof Problem)) log.warn({ err: error }, 'a push could not be received')
    else if (error.status === tooLarge.status) throw error
    await drop(reader, packBytes).catch(() => {})
    const refused = notReceived(error)
    return { outcomes: commands.map(command => ({ command, refused })), taken: null }
  }

  return {
    receive: (body, { token, ...by }) => {
      const arrival = Promise.withResolvers<ArrivedPush | null>()
      const reader = readPackets(inTime(body, limits))
      const work = async () => {
        const lines = await reader.lines(commandBytes)
        if (lines === null || lines.length === 0) return arrival.resolve(null)
        const request = parseCommands(lines)
        const { capabilities } = request
        const arrived = () => arrival.resolve({ capabilities, result })
        const result = receive(reader, request, { arrived, ...by }).catch(error =>
          refuseAll(reader, request, error),
        )
        await result
        arrived()
      }
      inTurn(token, work).catch(async error => {
        if (error.status !== tooLarge.status) await drop(reader, packBytes).catch(() => {})
        arrival.reject(error)
      })
      return arrival.promise
    },
    stop: async () => {
      stopped = true
      await going?.receiver.end()
      await going?.ended
    },
  }
}

/** Does work that may write much. */
async function watched<T>(room: Room, work: () => Promise<T>): Promise<T> {
  const over = room.busy()
  try {
    return await work()
  } finally {
    over()
  }
}

/** Puts the commit in place of the one that is here, unless the files are in use for long. */
async function take(
  receiver: Receiver,
  { gone, ...move }: { branch: string; from: string; to: string; gone: AbortSignal },
  { manifest, limits: { patienceMs } }: Pick<PushOptions, 'manifest' | 'limits'>,
): Promise<Took> {
  const taken = Promise.withResolvers<Omit<Took, 'loaded'>>()
  let state: 'waiting' | 'begun' | 'late' = 'waiting'
  const loaded = manifest.exclusive(async () => {
    if (state === 'late') return
    if (gone.aborted) throw new Error('the client has gone')
    state = 'begun'
    const before = manifest.state()
    const { refused } = await receiver.ask({ op: 'take', repo: receiver.repo, ...move })
    taken.resolve({ refused, before })
  })
  loaded.catch(taken.reject)
  const first = await within(patienceMs, taken.promise)
  // A checkout that has begun is waited for: its end is what is answered.
  if (!first && state === 'waiting') {
    state = 'late'
    return { refused: busy, before: manifest.state(), loaded }
  }
  return { ...(await taken.promise), loaded }
}
