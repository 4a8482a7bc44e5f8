// The starter jobs as the runtime would compile and read them, made when it is built: a new instance then starts without
// a compiler. `runtime/manifest/starter.ts` uses it where a volume holds just them.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerOf } from './answer-of.mjs'

/** `dist` holds the built programs; what is made goes to `dist/starter/`. */
export async function buildStarter(dist) {
  const volume = realpathSync(mkdtempSync(join(tmpdir(), 'longhouse-starter-')))
  try {
    const repo = join(volume, 'jobs')
    // As deep as in a volume, for paths in its source map are relative.
    const out = join(volume, 'builds/starter')
    cpSync(join(dist, 'jobs-template'), repo, { recursive: true })
    mkdirSync(out, { recursive: true })
    const reading = await read(dist, {
      repo,
      out,
    })
    if (reading?.errors) throw new Error(`the starter jobs do not load: ${JSON.stringify(reading.errors)}`)
    writeFileSync(join(out, 'reading.json'), JSON.stringify(reading))
    move(out, join(dist, 'starter'))
  } finally {
    rmSync(volume, { recursive: true, force: true })
  }
}

async function read(dist, question) {
  // Our own jobs, which need not be kept from anything.
  const everything = JSON.stringify({ read: ['/'], write: ['/'] })
  const args = ['--disable-warning=ExperimentalWarning', join(dist, 'manifest-reader.js'), everything]
  const child = spawn(process.execPath, args, {
    cwd: question.repo,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const text = await answerOf(child, question)
  if (!text.includes('\n')) throw new Error('the manifest reader ended without a word')
  return JSON.parse(text)
}

function move(from, to) {
  try {
    renameSync(from, to)
  } catch {
    cpSync(from, to, { recursive: true })
  }
}
