import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { badRequest, unsupportedMedia } from '../../src/http/problem.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import type { AuthService, Scope } from '../auth/contract.ts'
import { type RepoService, repoObstacle } from '../repo/contract.ts'
import type { Clones } from './clones.ts'
import { flushPacket, packet } from './packet-lines.ts'
import { plainAnswers } from './plain-answers.ts'
import { type Answering, answerPush } from './pushes/answer.ts'
import type { PushLog } from './pushes/log.ts'
import type { Pushes, PushResult } from './pushes/pushes.ts'

export interface GitWeb extends Answering {
  auth: Pick<AuthService, 'git'>
  repo: Pick<RepoService, 'ensure' | 'status'>
  pushes: Pushes
  pushLog: Pick<PushLog, 'write'>
  /** Throws if this machine has no git. */
  clones(): Clones
}

/** The services of git's HTTP protocol, with the scope that a token needs for each. */
const services = { 'git-upload-pack': 'read', 'git-receive-pack': 'write' } as const satisfies Record<
  string,
  Scope
>
type Service = keyof typeof services

const serviceNames = Object.keys(services) as [Service, ...Service[]]
const isService = (text: string | undefined): text is Service => text !== undefined && text in services

/**
 * What a push may ask of this server. It says that branches can be deleted, so that git asks and gets the reason why
 * not.
 */
const capabilities =
  'report-status delete-refs side-band-64k ofs-delta quiet object-format=sha1 agent=longhouse'

/** Routes of git's "smart" HTTP protocol: gitprotocol-http(5). */
export function gitRoutes(web: GitWeb): Route[] {
  const { auth, repo, clones, pushes, pushLog } = web
  const guardFor = (scopeOf: (c: AppContext) => Scope) => plainAnswers(auth.git(scopeOf))

  /** The branch that is served. Creates the git repository if there is none yet. */
  const shown = async () => {
    await repo.ensure()
    const { branch, head } = await repo.status()
    return { branch, head: head?.commit ?? null }
  }

  return [
    route({
      method: 'get',
      path: '/jobs.git',
      summary: 'The jobs repo, for a browser that is sent to its git address',
      guard: open,
      pageOnly: true,
      answers: { 302: { description: 'To the page of the repo' } },
      handle: c => c.redirect('/repo'),
    }),

    route({
      method: 'get',
      path: '/jobs.git/info/refs',
      summary: 'The branch of the jobs repo, for git',
      guard: guardFor(c => {
        const service = c.req.query('service')
        return isService(service) ? services[service] : 'read'
      }),
      pageOnly: true,
      query: z.object({
        service: z.enum(serviceNames, 'must be git-upload-pack or git-receive-pack: use git from 1.6.6 on'),
      }),
      answers: { 200: { description: 'Packets of git' } },
      handle: async (c, { query: { service } }) => {
        const serving = clones()
        const type = `application/x-${service}-advertisement`
        const head = Buffer.concat([packet(`# service=${service}\n`), flushPacket])
        const at = await shown()
        if (service === 'git-receive-pack') {
          if (at.branch === null || at.head === null)
            throw repoObstacle(
              'The jobs repo has no commit on a branch yet. Its page says what is in the way.',
            )
          const line = packet(`${at.head} refs/heads/${at.branch}\0${capabilities}\n`)
          return answer(c, type, Readable.from([Buffer.concat([head, line, flushPacket])]))
        }
        const protocol = protocolOf(c)
        const refs = await serving.answer({ client: clientOf(c), shown: at, protocol, body: null })
        return answer(c, type, protocol === 'version=2' ? refs : Readable.from(after(head, refs)))
      },
    }),

    route({
      method: 'post',
      path: '/jobs.git/git-upload-pack',
      summary: 'Clone or pull the jobs repo with git',
      guard: guardFor(() => 'read'),
      pageOnly: true,
      rawBody: true,
      answers: { 200: { description: 'Packets of git' } },
      handle: async c => {
        // Nothing is changed.
        c.set('about', null)
        const serving = clones()
        const body = bodyOf(c, 'git-upload-pack')
        const asked = { client: clientOf(c), shown: await shown(), protocol: protocolOf(c) }
        const sent = await serving.answer({ ...asked, body })
        return answer(c, 'application/x-git-upload-pack-result', sent)
      },
    }),

    route({
      method: 'post',
      path: '/jobs.git/git-receive-pack',
      summary: 'Push to the jobs repo with git',
      guard: guardFor(() => 'write'),
      pageOnly: true,
      rawBody: true,
      answers: { 200: { description: 'Packets of git' } },
      handle: async c => {
        c.set('about', null)
        clones()
        const token = tokenOf(c)
        const arrived = await pushes.receive(bodyOf(c, 'git-receive-pack'), {
          ...{ gone: c.req.raw.signal, token, mayStill: c.get('askAgain') },
        })
        const note = (result: PushResult) => {
          try {
            if (result.taken) pushLog.write(result.taken.commit, token || null)
          } catch (error) {
            // The push was taken all the same.
            c.get('log').error({ err: error }, 'a push is missing in the history')
          }
          return aboutOf(result)
        }
        if (arrived) c.set('about', arrived.result.then(note))
        const packets = arrived ? answerPush(arrived, web) : []
        return answer(c, 'application/x-git-receive-pack-result', Readable.from(packets))
      },
    }),
  ]
}

const clientOf = (c: AppContext) => tokenOf(c) || c.get('client')

function tokenOf(c: AppContext): string {
  const actor = c.get('actor')
  return actor?.kind === 'token' ? actor.name : ''
}

/** What an audit log says of a push; null if it was refused. */
const aboutOf = ({ taken }: PushResult) => taken && `${taken.branch} ${taken.commit.slice(0, 12)}`

/** The largest request for commits: it names those that the client has. */
const requestBytes = 16 * 1024 * 1024

/** The body as git sends it: plain, or gzip'd. Refuses what a form of a page could send. */
function bodyOf(c: AppContext, service: Service): AsyncIterable<Uint8Array> {
  const type = c.req.header('content-type')
  if (type !== `application/x-${service}-request`)
    throw unsupportedMedia(`This address is for git, which sends application/x-${service}-request.`)
  const body: AsyncIterable<Uint8Array> = c.req.raw.body ?? Readable.from([])
  const coding = c.req.header('content-encoding')?.toLowerCase() ?? 'identity'
  if (coding === 'identity') return service === 'git-upload-pack' ? upTo(requestBytes, body) : body
  if (coding !== 'gzip' && coding !== 'x-gzip')
    throw unsupportedMedia(`A body may be plain or gzip, and not ${coding}.`)
  const plain = unpacked(body)
  return service === 'git-upload-pack' ? upTo(requestBytes, plain) : plain
}

async function* unpacked(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* Readable.from(body).compose(createGunzip())
  } catch (error) {
    throw badRequest('The body is not what its Content-Encoding says, gzip.', { cause: error })
  }
}

async function* upTo(limitBytes: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > limitBytes) throw new Error('the request names too many commits')
    yield piece
  }
}

/** What the client says of the versions that it speaks, if that is a number. */
function protocolOf(c: AppContext): string {
  return /^version=[012]$/.exec(c.req.header('git-protocol') ?? '')?.[0] ?? ''
}

async function* after(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* rest
}

function answer(c: AppContext, type: string, stream: Readable): Response {
  // No proxy may keep it, or compress what is compressed.
  c.header('Cache-Control', 'no-store, no-transform')
  c.header('Content-Type', type)
  return c.body(Readable.toWeb(stream) as ReadableStream)
}
