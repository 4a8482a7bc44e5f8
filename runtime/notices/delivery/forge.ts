import { DeliveryError } from '../../../src/delivery/delivery-error.ts'
import type { CommitState } from '../commit-state.ts'

/** Where to write a commit status: the API at the remote's own host, and no other. */
export interface Forge {
  kind: 'github' | 'gitlab'
  /** The base URL of the API, without a slash at its end. */
  api: string
  /** The repository's path: `owner/name`, on GitLab with all its groups. */
  path: string
}

export interface CommitStatus {
  commit: string
  state: CommitState
  description: string
  /** Its name among the commit's statuses. */
  context: string
  /** A page with details. */
  targetUrl: string | null
}

const patienceMs = 10_000
/** The most characters of a response to read: a message is shorter. */
const mostRead = 64 * 1024

interface Answer {
  ok: boolean
  status: number
  headers: Headers
  text: string
}

/**
 * Finds the API of a remote. github.com and gitlab.com are known by name; any other host is asked, without the token,
 * for responses that only GitLab or GitHub Enterprise Server give. Null for another kind of server. Throws a
 * DeliveryError if the host is unavailable.
 */
export async function findForge(remoteUrl: string): Promise<Forge | null> {
  const { protocol, hostname, origin, pathname } = new URL(remoteUrl)
  if (!/^https?:$/.test(protocol)) return null
  const path = decodeURI(pathname)
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '')
  if (!path.includes('/')) return null
  if (/^(www\.)?github\.com$/.test(hostname)) return { kind: 'github', api: 'https://api.github.com', path }
  if (hostname === 'gitlab.com') return { kind: 'gitlab', api: 'https://gitlab.com/api/v4', path }
  // Data residency: https://docs.github.com/enterprise-cloud@latest/admin/data-residency
  if (hostname.endsWith('.ghe.com')) return { kind: 'github', api: `https://api.${hostname}`, path }
  const gitlab = `${origin}/api/v4`
  if ((await ask(`${gitlab}/version`)).headers.has('x-gitlab-meta'))
    return { kind: 'gitlab', api: gitlab, path }
  const github = `${origin}/api/v3`
  if ((await ask(`${github}/meta`)).headers.has('x-github-request-id'))
    return { kind: 'github', api: github, path }
  return null
}

/** Writes a status. Throws a DeliveryError, a permanent one if the token may not write it. Follows no redirect. */
export async function writeStatus(forge: Forge, token: string, status: CommitStatus): Promise<void> {
  const { kind, api, path } = forge
  const { commit, state, description, context, targetUrl } = status
  const target = targetUrl ? { target_url: targetUrl } : {}
  const authorization = { Authorization: `Bearer ${token}` }
  const answer =
    kind === 'github'
      ? await ask(`${api}/repos/${path.split('/').map(encodeURIComponent).join('/')}/statuses/${commit}`, {
          headers: {
            ...authorization,
            Accept: 'application/vnd.github+json',
            'X-GitHub-Api-Version': '2022-11-28',
          },
          body: { state, description: cut(description, 140), context, ...target },
        })
      : await ask(`${api}/projects/${encodeURIComponent(path)}/statuses/${commit}`, {
          headers: authorization,
          body: {
            state: state === 'failure' ? 'failed' : state,
            description: cut(description, 255),
            name: context,
            ...target,
          },
        })
  if (answer.ok) return
  const said = wordsOf(answer.text)
  // GitLab refuses to set the current status again.
  if (kind === 'gitlab' && answer.status === 400 && /cannot transition/i.test(said)) return
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    const limited = answer.headers.get('x-ratelimit-remaining') === '0' || answer.headers.has('retry-after')
    throw new DeliveryError(
      limited
        ? `too many requests (${answer.status})`
        : `the token may not write commit statuses (${answer.status}): ${kind === 'github' ? 'it needs the permission "Commit statuses: write"' : 'it needs the scope "api" and the role Developer'}`,
      { permanent: !limited },
    )
  }
  const permanent = answer.status < 500 && answer.status !== 429
  throw new DeliveryError(`the remote answered ${answer.status}${said ? `: ${said}` : ''}`, { permanent })
}

async function ask(
  url: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  try {
    const answer = await fetch(url, {
      method: body ? 'POST' : 'GET',
      headers: {
        'User-Agent': 'Longhouse',
        ...headers,
        ...(body ? { 'Content-Type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      // The token is sent to the remote's own host only, whatever that redirects to.
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    })
    const { ok, status } = answer
    return { ok, status, headers: answer.headers, text: await beginningOf(answer) }
  } catch (error) {
    const cause = (error as Error).cause as { code?: string } | undefined
    throw new DeliveryError(cause?.code ?? (error as Error).message, { permanent: false, cause: error })
  }
}

/** Reads the beginning of a response and releases its connection, which an unread response would hold. */
async function beginningOf({ ok, body }: Response): Promise<string> {
  if (ok) await body?.cancel()
  if (ok || !body) return ''
  const decoder = new TextDecoder()
  let text = ''
  // Leaving the loop cancels the rest.
  try {
    for await (const piece of body) {
      text += decoder.decode(piece, { stream: true })
      if (text.length >= mostRead) break
    }
  } catch {
    // The status arrived; the rest of the body did not.
  }
  return text
}

/** The message of an error response, shortened; neither server repeats the token in it. */
function wordsOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return cut(typeof message === 'string' ? message : JSON.stringify(message ?? ''), 200)
  } catch {
    return ''
  }
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
