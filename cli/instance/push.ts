import { spawn } from 'node:child_process'
import { askJson } from '../command/api.ts'
import { type Command, instanceOptions } from '../command/call.ts'
import { CommandError } from '../command/jobs-folder.ts'
import type { Place } from '../command/place.ts'
import { whichInstance } from './which-instance.ts'

export const push: Command = {
  name: 'push',
  takes: [],
  needsRepo: true,
  summary: 'sends what is committed to the instance, which checks it as it does a save',
  details:
    'This is a git push to <instance>/jobs.git, with the token of longhouse login, or of LONGHOUSE_URL and ' +
    'LONGHOUSE_TOKEN. The instance prints what changes, or the file and line of what is wrong; the previous jobs ' +
    'keep running then. Nothing is ever forced: if the instance has commits that you do not have, pull them first.',
  options: instanceOptions,
  run: async call => {
    const { dir, output, signal } = call
    const instance = whichInstance(dir)
    const changed = await git(['status', '--porcelain'], dir, signal)
    const files = changed.split('\n').filter(line => line !== '').length
    if (files > 0) {
      const what = files === 1 ? '1 file has changes' : `${files} files have changes`
      output.note(`${output.noteLook('yellow', 'warning')} ${what} that are not committed, and are not sent`)
    }
    const { branch } = await askJson<{ branch: string | null }>(instance, '/api/jobs/repo', { signal })
    const target = `HEAD:refs/heads/${branch ?? 'main'}`
    const colour = output.colours ? 'always' : 'auto'
    const args = ['-c', `color.ui=${colour}`, 'push', `${instance.origin}/jobs.git`, target]
    const commit = (await git(['rev-parse', 'HEAD'], dir, signal)).trim()
    if ((await run(args, dir, signal, withToken(instance))) !== 0) return 1
    for (const remote of await remotesOf(instance, dir, signal)) {
      await git(['update-ref', `refs/remotes/${remote}/${branch ?? 'main'}`, commit], dir, signal)
    }
    return 0
  },
}

/** Git moves what it knows of a remote only when it pushes by the remote's name, and a token may be in its address. */
async function remotesOf({ origin }: Place, dir: string, signal: AbortSignal): Promise<string[]> {
  const lines = (await git(['remote', '--verbose'], dir, signal)).split('\n')
  return lines.flatMap(line => {
    const [, name = '', url = ''] = /^(\S+)\t(.*) \(fetch\)/.exec(line) ?? []
    if (!URL.canParse(url)) return []
    const { origin: where, pathname } = new URL(url)
    return where === origin && /^\/jobs\.git\/?$/.test(pathname) ? [name] : []
  })
}

/**
 * The token for this git and this instance alone: in the environment, which other users cannot read, unlike arguments;
 * and never in the repo's config.
 */
function withToken({ origin, token }: Place, env = process.env): NodeJS.ProcessEnv {
  const given = Number(env.GIT_CONFIG_COUNT ?? 0) || 0
  const settings = [
    [`http.${origin}/.extraHeader`, `Authorization: Bearer ${token}`],
    // The header would go along.
    [`http.${origin}/.followRedirects`, 'false'],
    ['credential.helper', ''],
  ]
  const added = settings.flatMap(([key = '', value = ''], index) => [
    [`GIT_CONFIG_KEY_${given + index}`, key],
    [`GIT_CONFIG_VALUE_${given + index}`, value],
  ])
  return {
    ...env,
    ...Object.fromEntries(added),
    GIT_CONFIG_COUNT: String(given + settings.length),
    GIT_TERMINAL_PROMPT: '0',
  }
}

/** What git prints; throws a CommandError with its words. */
async function git(args: readonly string[], dir: string, signal: AbortSignal): Promise<string> {
  const child = spawn('git', args, { cwd: dir, signal, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    said.err += text
  })
  const code = await ended(child)
  if (code === 0) return said.out
  throw new CommandError(said.err.trim() || `git ended with exit code ${code}`)
}

function run(args: readonly string[], dir: string, signal: AbortSignal, env: NodeJS.ProcessEnv) {
  return ended(spawn('git', args, { cwd: dir, signal, env, stdio: ['ignore', 'inherit', 'inherit'] }))
}

function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT' ? new CommandError('push needs git, which is not installed here') : error,
      )
    })
    child.once('close', resolve)
  })
}
