import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { builtRoot } from '../../src/root.ts'
import { claimVolume } from '../../src/storage/volume-identity.ts'
import { rowsOf } from './database-copy.ts'
import type { Inventory } from './inventory.ts'
import { settleVolume } from './settle.ts'

const bootWithinMs = 120_000

/**
 * Proves that an unpacked copy is whole: it has an instance's database, SQLite checks each database and finds the rows of the
 * inventory, git checks the jobs repo, and a runtime starts on it and says that it is healthy, with every job turned off and no
 * one notified. `step` gets each step in words, and how far git is. Returns what was checked, in words. Throws with the first
 * fault.
 */
export async function proveVolume(
  folder: string,
  inventory: Inventory,
  now: number,
  step: (words: string) => void,
): Promise<string[]> {
  // A runtime starts on an empty folder as well, and makes its database there.
  if (!inventory.files.some(({ path }) => path === 'longhouse.db'))
    throw new Error('it has no longhouse.db, so it is not the data of an instance')
  const databases = inventory.files.filter(({ rows }) => rows !== undefined)
  for (const { path, rows = {} } of databases) {
    step(`SQLite checks ${path}`)
    checkDatabase(join(folder, path), path, rows)
  }
  const checked = [
    `${inventory.files.length} files have their hashes`,
    `${databases.length} databases have their rows`,
  ]
  if (existsSync(join(folder, 'jobs/.git'))) checked.push(await checkRepo(join(folder, 'jobs'), step))
  step('a runtime starts on it')
  settleVolume(join(folder, 'longhouse.db'), { now, hold: true, quiet: true })
  await startRuntime(folder)
  return [...checked, 'a runtime started on it']
}

function checkDatabase(file: string, name: string, expected: Readonly<Record<string, number>>): void {
  const database = new Database(file, { fileMustExist: true })
  try {
    const result = database.pragma('integrity_check', { simple: true })
    if (result !== 'ok') throw new Error(`${name} is damaged: ${String(result)}`)
    const rows = rowsOf(database)
    const wrong = Object.keys({ ...rows, ...expected }).filter(table => rows[table] !== expected[table])
    if (wrong.length > 0) throw new Error(`${name} has other rows than its copy had, in ${wrong.join(', ')}`)
  } finally {
    database.close()
  }
}

/** Progress as git writes it: each state of a line ends with a carriage return. */
const progressOfGit = /^[^\r\n]*: +\d+%[^\r\n]*[\r\n]*/gm

async function checkRepo(repo: string, step: (words: string) => void): Promise<string> {
  step('git checks the jobs repo')
  const child = spawn('git', ['-c', 'safe.directory=*', 'fsck', '--full', '--no-dangling', '--progress'], {
    cwd: repo,
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  const add = (text: string) => {
    words = `${words}${text}`.replace(progressOfGit, '').slice(0, 8000)
  }
  child.stdout.setEncoding('utf8').on('data', add)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    step(
      `git checks the jobs repo: ${text
        .trim()
        .split(/[\r\n]+/)
        .at(-1)}`,
    )
    add(text)
  })
  let code: unknown
  try {
    ;[code] = await once(child, 'close')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return 'the jobs repo was not checked: this image has no git'
    throw error
  }
  if (code !== 0) throw new Error(`git finds faults in the jobs repo: ${words.trim().slice(0, 1000)}`)
  return 'git found the jobs repo whole'
}

async function startRuntime(folder: string): Promise<void> {
  await claimVolume(folder, 'inst_proof', null)
  const child = spawn(process.execPath, [builtRoot('runtime.js')], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LONGHOUSE_INSTANCE_ID: 'inst_proof',
      LONGHOUSE_DATA_DIR: folder,
      LONGHOUSE_HOST: '127.0.0.1',
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'a runtime that only proves a copy',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let words = ''
  child.stderr?.on('data', piece => {
    words = `${words}${piece}`.slice(-4000)
  })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', () =>
      reject(new Error(`a runtime does not start on it: ${words.trim().slice(-1000)}`)),
    )
  })
  ended.catch(() => {})
  try {
    const port = await Promise.race([listening(child), ended])
    await Promise.race([healthy(port), ended])
  } finally {
    await endOf(child)
  }
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise(resolve => {
    child.on('message', message => {
      const { type, port } = message as { type?: unknown; port?: unknown }
      if (type === 'listening' && typeof port === 'number') resolve(port)
    })
  })
}

/** A runtime listens before its plugins have started. */
async function healthy(port: number): Promise<void> {
  const until = performance.now() + bootWithinMs
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/health`).catch(() => null)
    if (answer?.status === 200) return
    const text = await answer?.text()
    if (performance.now() > until)
      throw new Error(`a runtime on it is not healthy: ${text?.slice(0, 1000) ?? 'no answer'}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await gone
  clearTimeout(timer)
}
