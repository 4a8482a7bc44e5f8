import { type Idioms, module } from './repo.fixture.ts'

/** Files of the repo, and those that a job writes. */
export const ofFiles: Idioms = {
  'a file beside the code, by import.meta.dirname and import.meta.url': {
    'package.json': module,
    'jobs/words.txt': 'hello',
    'jobs/job.ts': `import { readFileSync } from 'node:fs'
import { join } from 'node:path'
export async function run() {
  return [readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8'), readFileSync(new URL('./words.txt', import.meta.url), 'utf8')]
}`,
  },
  '__dirname and require in a package that does not say what it is': {
    'package.json': '{}',
    'jobs/words.txt': 'hello',
    'jobs/job.ts': `import { join, basename } from 'node:path'
export async function run() {
  const { readFileSync } = require('node:fs')
  return [readFileSync(join(__dirname, 'words.txt'), 'utf8'), basename(__filename)]
}`,
  },
  'open files: flushed, their mode and times; links within data/; in a thread and a program too': {
    'package.json': module,
    'jobs/files.ts': `import fs, { fsyncSync } from 'node:fs'
import { appendFile, open, readFile, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
export async function files(name: string) {
  const at = 'data/' + name
  fs.writeFileSync(at, 'one', { flush: true })
  await writeFile(at, 'two', { flush: true })
  await appendFile(at, 'three', { flush: true })
  await promisify(fs.writeFile)(at + '-2', Buffer.from('four'), { flush: true })
  const fd = fs.openSync(at, 'r+')
  fsyncSync(fd)
  fs.fdatasyncSync(fd)
  fs.fchmodSync(fd, '640')
  fs.fchownSync(fd, fs.fstatSync(fd).uid, fs.fstatSync(fd).gid)
  await promisify(fs.futimes)(fd, 1.5, new Date(2500))
  await promisify(fs.fsync)(fd)
  const { mode, atimeMs, mtimeMs } = fs.fstatSync(fd)
  fs.closeSync(fd)
  const handle = await open(at, 'r+')
  await handle.sync()
  await handle.datasync()
  await handle.chmod(0o600)
  await handle.utimes(new Date(1000), 3)
  const later = await handle.stat()
  await handle.close()
  fs.symlinkSync(name, at + '-link')
  await symlink('../' + at, at + '-other')
  await promisify(fs.symlink)(process.cwd() + '/' + at, at + '-third')
  const folder = fs.openSync('data', 'r')
  fs.fsyncSync(folder)
  fs.closeSync(folder)
  const failure = (work: () => void) => { try { work() } catch (error) { return (error as { code: string }).code } }
  const failures = [failure(() => fs.fsyncSync(fd + 900)), failure(() => fs.symlinkSync(name, at + '-link'))]
  const text = await Promise.all(['', '-2', '-link', '-other', '-third'].map(each => readFile(at + each, 'utf8')))
  return [mode, atimeMs, mtimeMs, later.mode, later.atimeMs, later.mtimeMs, fs.readlinkSync(at + '-link'), failures, text]
}`,
    'jobs/elsewhere.ts': `import { parentPort } from 'node:worker_threads'
import { files } from './files'
const found = await files(parentPort ? 'thread' : 'program')
parentPort ? parentPort.postMessage(found) : process.send?.(found)`,
    'jobs/job.ts': `import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { files } from './files'
export async function run() {
  const file = new URL('./elsewhere.ts', import.meta.url)
  const [thread] = await once(new Worker(file), 'message')
  const [program] = await once(fork(file), 'message')
  return [await files('own'), thread, program]
}`,
  },
  'folders, files and a database that are made while modules are loaded': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run as other } from './jobs/other'
import { run } from './jobs/job'
jobRegistry.register({ id: 'other', cron: '@daily', func: other })
jobRegistry.register({ id: 'job', cron: '@daily', func: run })`,
    'jobs/other.ts': `import { DatabaseSync } from 'node:sqlite'
const database = new DatabaseSync('data/loaded.db')
database.exec('create table if not exists words (word text primary key); insert or ignore into words values (1)')
export const run = () => database.prepare('select * from words').all()`,
    'jobs/job.ts': `import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
mkdirSync('data/reports', { recursive: true })
writeFileSync('data/reports/first.txt', 'made')
export const run = async () => [readdirSync('data/reports'), new DatabaseSync('data/loaded.db').prepare('select * from words').all()]`,
  },
  'names of files as they may be: spaces, other letters, %, and two that differ in their case; marks of an editor':
    {
      'package.json': module,
      'lib/a b.ts': 'export default "spaces"',
      'lib/ünï ☃.ts': 'export default "other letters"',
      'lib/100%.ts': 'export default "percent"',
      'lib/d#e.ts': 'export default "number sign"',
      'lib/Same.ts': 'export default "upper"',
      'lib/same.ts': 'export default "lower"',
      'lib/marked.json': '\uFEFF{ "marked": true, "__proto__": { "own": 1 } }',
      'lib/marked.ts': '\uFEFFexport default `two\r\nlines`\r\n',
      'lib/plain.js': '#!/usr/bin/env node\nexport default "plain"',
      'lib/compiled.js': 'export default "compiled some time ago"',
      'lib/compiled.ts': 'export default "the source"',
      'jobs/job.ts': `import spaces from '../lib/a b.ts'
import same from '../lib/a%20b.ts'
import letters from '../lib/ünï ☃'
import percent from '../lib/100%25.ts'
import sign from '../lib/d%23e.ts'
import upper from '../lib/Same'
import lower from '../lib/same'
import json from '../lib/marked.json'
import marked from '../lib/marked.js'
import plain from '../lib/plain.js'
import compiled from '../lib/compiled.js'
export const run = async () => [spaces, same, letters, percent, sign, upper, lower, Object.keys(json), marked, plain, compiled]`,
    },
  'a job that writes beside its code': {
    'package.json': module,
    'jobs/job.ts': `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
export async function run() {
  const file = join(import.meta.dirname, '../data/out.txt')
  writeFileSync(file, 'kept')
  return [readFileSync('data/out.txt', 'utf8'), process.cwd() === join(import.meta.dirname, '..')]
}`,
  },
  'node:sqlite, streams, and files of a folder': {
    'package.json': module,
    'lib/lines.txt': 'one\ntwo\nthree\n',
    'jobs/job.ts': `import { createReadStream } from 'node:fs'
import { glob, mkdir, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
export async function run() {
  const lines: string[] = []
  for await (const line of createInterface({ input: createReadStream(new URL('../lib/lines.txt', import.meta.url)) })) lines.push(line)
  await mkdir('data', { recursive: true })
  await rm('data/idiom.db', { force: true })
  const database = new DatabaseSync('data/idiom.db')
  database.exec('create table lines (text)')
  const insert = database.prepare('insert into lines values (?)')
  for (const line of lines) insert.run(line)
  const count = database.prepare('select count(*) as count, max(text) as last from lines').get()
  database.close()
  const found = await Array.fromAsync(glob('lib/*.txt'))
  return [count, found]
}`,
  },
  '.env, by Node and by hand': {
    'package.json': module,
    '.gitignore': 'node_modules/\n.env\n',
    '.env': 'API_TOKEN="from the file"\nOTHER=2\n',
    'jobs/job.ts': `import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
export async function run() {
  process.loadEnvFile()
  return [process.env.API_TOKEN, parseEnv(readFileSync('.env', 'utf8')).OTHER]
}`,
  },
}
