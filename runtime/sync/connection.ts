import { z } from 'zod'
import { isLoopback } from '../../src/http/address.ts'
import { invalidFields } from '../../src/http/problem.ts'
import type { Verified } from '../git/merge/sync-protocol.ts'
import type { RepoService } from '../repo/contract.ts'
import type { SyncService } from './contract.ts'
import { noRemote } from './problems.ts'

/** What a person or a script connects a remote with. */
export const connection = z.object({
  url: z.string('must be the address of a git repository').trim().superRefine(checkUrl),
  token: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]*$/, 'must be one word without spaces')
    .optional()
    .meta({ description: 'Optional when the same repository is already connected' }),
  username: z
    .string()
    .trim()
    .regex(/^[^:\p{Cc}]*$/u, 'must be a user name without a colon')
    .optional()
    .meta({ description: 'The user name to send with the token; most servers accept any' }),
  branch: z
    .string()
    .trim()
    .regex(/^(?!-)(?!.*(\.\.|@\{|\/\/|[\s~^:?*[\\]|\/$|\.lock$))[^\p{Cc}]*$/u, 'must be the name of a branch')
    .optional()
    .meta({ description: 'The branch to sync with; by default, the remote’s default branch' }),
})
export type Connecting = z.output<typeof connection>

/**
 * Connects a remote, once its token was tried, and returns the secret of its webhook. The same repository can be
 * connected again without a token. Throws the Problem `invalid` when the repository cannot be used.
 */
export async function connectRemote(
  sync: SyncService,
  repo: Pick<RepoService, 'status'>,
  fields: Connecting,
): Promise<string> {
  const kept = sync.remote()
  const { url } = fields
  const token = fields.token || (kept?.url === url ? sync.token() : null)
  if (!token)
    throw invalidFields([
      { path: 'token', message: 'must be a token that can read and write the repository' },
    ])
  const username = fields.username || kept?.username || 'x-access-token'
  const found = await sync.verify({ url, username, token }).catch((error: Error) => {
    const path = /token/.test(error.message) && !/\(404\)/.test(error.message) ? 'token' : 'url'
    throw invalidFields([{ path, message: `does not work: ${error.message}` }])
  })
  const { branch: localBranch } = await repo.status()
  if (!localBranch) throw noRemote('The jobs repo is not on a branch. Check one out, then connect.')
  const branch = fields.branch || found.defaultBranch || localBranch
  checkBranch(branch, found)
  return sync.connect({ url, username, token, branch, localBranch })
}

function checkUrl(text: string, context: z.RefinementCtx): void {
  const message = urlFault(text)
  if (message) context.addIssue({ code: 'custom', message })
}

function urlFault(text: string): string | null {
  if (!URL.canParse(text)) return 'must be an address such as https://github.com/acme/jobs.git'
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    return 'must begin with https://'
  if (username || password) return 'must not hold a user name or token; those have fields of their own'
  return search || hash ? 'must end with the path of the repository' : null
}

function checkBranch(branch: string, { branches }: Verified): void {
  if (branches.length === 0 || branches.includes(branch)) return
  const message = `must be an existing branch: ${branches.slice(0, 10).join(', ')}`
  throw invalidFields([{ path: 'branch', message }])
}
