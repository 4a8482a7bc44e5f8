import git, { type GitHttpRequest, type GitHttpResponse, type HttpClient } from 'isomorphic-git'
import type { Fetched, RemoteAddress, Verified } from '../git/merge/sync-protocol.ts'
import { atomicFs as fs } from '../git/objects/atomic-fs.ts'

/** A repository of jobs is small. Anything larger than this is something else. */
const largestAnswer = 256 * 1024 * 1024
/** The name of the remote in git's configuration. `origin` may be the customer's own. */
const remoteName = 'longhouse'

/** A failure whose message is for people. Any other error is a bug of ours. */
export class RemoteFault extends Error {}

export async function verify(remote: RemoteAddress): Promise<Verified> {
  const refs = await serverRefs(remote, false)
  // The first request of a push shows whether this token may write, and writes nothing.
  await serverRefs(remote, true)
  const branches = branchesOf(refs)
  const head = refs.find(({ ref }) => ref === 'HEAD')
  const named = head?.target?.replace('refs/heads/', '')
  const same = refs.find(({ ref, oid }) => ref.startsWith('refs/heads/') && oid === head?.oid)?.ref.slice(11)
  return { branches: [...branches.keys()], defaultBranch: named ?? same ?? [...branches.keys()][0] ?? null }
}

export async function fetchBranch(dir: string, remote: RemoteAddress, branch: string): Promise<Fetched> {
  const branches = branchesOf(await serverRefs(remote, false))
  const head = branches.get(branch) ?? null
  const answer = { head, branches: [...branches.keys()] }
  if (head === null || (await hasHistory(dir, head))) return answer
  await nameRemote(dir, remote.url)
  const tracking = `refs/remotes/${remoteName}/${branch}`
  const known = await git.resolveRef({ fs, dir, ref: tracking }).then(
    () => true,
    () => false,
  )
  await inWords(() =>
    git.fetch({
      fs,
      dir,
      ...transport(remote),
      remote: remoteName,
      // Names the commits that we have. The remote knows these, but maybe not our own.
      ref: known ? tracking : branch,
      remoteRef: branch,
      singleBranch: true,
      tags: false,
    }),
  )
  if (!(await hasHistory(dir, head))) throw new RemoteFault('the remote sent less than its branch holds')
  return answer
}

/** Names the remote in the configuration, without the token: isomorphic-git keeps the branches of such remotes only. */
async function nameRemote(dir: string, url: string): Promise<void> {
  const remotes = await git.listRemotes({ fs, dir })
  if (remotes.some(each => each.remote === remoteName && each.url === url)) return
  await git.addRemote({ fs, dir, remote: remoteName, url, force: true })
}

/** Pushes without force. Returns false when the remote moved meanwhile, and has to be fetched again. */
export async function pushCommit(
  dir: string,
  remote: RemoteAddress,
  commit: string,
  branch: string,
): Promise<boolean> {
  try {
    await inWords(() =>
      git.push({
        fs,
        dir,
        ...transport(remote),
        remote: remoteName,
        ref: commit,
        remoteRef: `refs/heads/${branch}`,
        force: false,
      }),
    )
    return true
  } catch (error) {
    if (error instanceof git.Errors.PushRejectedError) return false
    if (error instanceof git.Errors.GitPushError) {
      // Another push came between our fetch and ours.
      if (/fetch first|non-fast-forward|failed to (update|lock) ref|incorrect old value/i.test(error.message))
        return false
      throw new RemoteFault(`the remote refused the push: ${plainLine(error.data.prettyDetails)}`)
    }
    throw error
  }
}

async function serverRefs(remote: RemoteAddress, forPush: boolean) {
  const { refs = [] } = await inWords(() =>
    git.getRemoteInfo2({ ...transport(remote), forPush, protocolVersion: 1 }),
  )
  return refs
}

function branchesOf(refs: readonly { ref: string; oid: string }[]): Map<string, string> {
  return new Map(
    refs.filter(({ ref }) => ref.startsWith('refs/heads/')).map(({ ref, oid }) => [ref.slice(11), oid]),
  )
}

async function hasHistory(dir: string, oid: string): Promise<boolean> {
  return git.readCommit({ fs, dir, oid }).then(
    () => true,
    () => false,
  )
}

/** Sends the token as a header, so that no address, configuration or message contains it. */
function transport({ url, username, token, limitMs }: RemoteAddress) {
  const credentials = Buffer.from(`${username}:${token}`).toString('base64')
  const http: HttpClient = { request: asked => send(asked, limitMs) }
  return { http, url, headers: { Authorization: `Basic ${credentials}` } }
}

async function send(
  { url, method, headers, body }: GitHttpRequest,
  limitMs: number,
): Promise<GitHttpResponse> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  const answer = await fetch(url, {
    method: method ?? 'GET',
    headers: headers ?? {},
    // A redirect must not hand the token to another host.
    redirect: 'manual',
    signal: AbortSignal.timeout(limitMs),
    ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
  })
  if (answer.status >= 300 && answer.status < 400) {
    await answer.body?.cancel()
    const to = answer.headers.get('location') ?? ''
    const where = URL.canParse(to, url) ? new URL(to, url) : null
    throw new RemoteFault(
      `the remote has moved${where ? ` to ${where.origin}${where.pathname.replace(/\/info\/refs$/, '')}` : ''}; connect that address`,
    )
  }
  return {
    url,
    method: method ?? 'GET',
    statusCode: answer.status,
    statusMessage: answer.statusText,
    headers: Object.fromEntries(answer.headers),
    body: url.includes('/info/refs') ? inPieces(await wholeList(answer)) : limited(answer),
  }
}

/**
 * The list of a remote's branches, read to its end: isomorphic-git takes one that breaks off for one that ends there, and
 * a branch behind the break would be thought deleted.
 */
async function wholeList(answer: Response): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of limited(answer)) chunks.push(chunk)
  const isList = answer.headers.get('content-type')?.startsWith('application/x-git-') ?? false
  if (isList && answer.ok && !Buffer.concat(chunks).toString('latin1').trimEnd().endsWith(endOfList)) {
    throw new RemoteFault('the remote closed the connection in the middle of its answer')
  }
  return chunks
}

async function* inPieces(chunks: readonly Uint8Array[]): AsyncIterableIterator<Uint8Array> {
  yield* chunks
}

/** The packet that ends a list: gitprotocol-common(5), "flush-pkt". */
const endOfList = '0000'

async function* limited(answer: Response): AsyncIterableIterator<Uint8Array> {
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    if (size > largestAnswer)
      throw new RemoteFault(`the remote sends more than ${largestAnswer / 1024 / 1024} MiB`)
    yield chunk
  }
}

async function inWords<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof RemoteFault) throw error
    if (error instanceof git.Errors.HttpError) throw new RemoteFault(statusWords(error.data.statusCode))
    if (error instanceof git.Errors.PushRejectedError || error instanceof git.Errors.GitPushError) throw error
    throw new RemoteFault(connectionWords(error as Error), { cause: error })
  }
}

function statusWords(status: number): string {
  if (status === 401) return 'the remote refused the token (401): it is wrong, or has expired'
  if (status === 403) return 'the remote refused (403): this token may not read and write this repository'
  if (status === 404) return 'the remote has no such repository (404), or this token may not see it'
  if (status === 429) return 'the remote asks for fewer requests (429)'
  return `the remote answered ${status}`
}

function connectionWords(error: Error): string {
  const cause = error.cause as { code?: string; message?: string } | undefined
  const known: Record<string, string> = {
    ECONNREFUSED: 'the remote’s address does not accept connections',
    ENOTFOUND: 'the remote’s host name is not known',
    EAI_AGAIN: 'the remote’s host name cannot be looked up now',
    ECONNRESET: 'the remote closed the connection',
    UND_ERR_SOCKET: 'the remote closed the connection',
    ETIMEDOUT: 'the remote does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'the remote does not answer',
  }
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return 'the remote takes too long to answer'
  const words = cause?.code ? known[cause.code] : undefined
  if (words) return words
  if (error.message === 'fetch failed')
    return `the remote cannot be reached: ${plainLine(cause?.message ?? cause?.code ?? '')}`
  if (error.message === 'terminated') return 'the remote closed the connection'
  return `the remote does not answer as a git server: ${plainLine(error.message)}`
}

function plainLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 200)
}
