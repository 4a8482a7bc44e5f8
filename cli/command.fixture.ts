import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { programRoot } from '../src/root.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

export interface Said {
  code: number | null
  out: string
  err: string
}

export interface StartedCommand {
  process: ChildProcess
  /** What it wrote so far, to both. */
  text(): string
  ended: Promise<Said>
}

/** A jobs repo in a folder of its own, with these files. */
export function jobsRepo(t: TestContext, files: Record<string, string>, name = 'jobs'): string {
  const dir = join(temporaryFolder(t), name)
  mkdirSync(dir)
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), content)
  }
  return dir
}

/** Starts the built program in the folder, as a person would: in a process, with a pipe for a terminal. */
export function start(
  t: TestContext,
  dir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): StartedCommand {
  const child = spawn(process.execPath, [programRoot('dist/longhouse.js'), ...args], {
    cwd: dir,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
  })
  t.after(() => child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', chunk => {
    said.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', chunk => {
    said.err += chunk
  })
  const ended = new Promise<Said>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...said }))
  })
  return { process: child, text: () => said.out + said.err, ended }
}

export function say(
  t: TestContext,
  dir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Said> {
  return start(t, dir, args, env).ended
}
