import { readdirSync, readFileSync } from 'node:fs'
import { pause } from './instance.fixture.ts'

/** Watches what the process that reads the manifest holds with its compiler. Returns a function that ends that. */
export function watchReading(runtime: number): () => Promise<number> {
  let peak = 0
  let going = true
  const watching = (async () => {
    while (going) {
      for (const reader of below(runtime).filter(isReader)) {
        peak = Math.max(
          peak,
          [reader, ...below(reader)].reduce((sum, pid) => sum + ownMib(pid), 0),
        )
      }
      await pause(5)
    }
  })()
  return async () => {
    going = false
    await watching
    return peak
  }
}

function isReader(pid: number): boolean {
  return text(`/proc/${pid}/cmdline`).includes('manifest-reader.js')
}

function below(pid: number): number[] {
  const children = tasks(pid).flatMap(task =>
    text(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap(child => [child, ...below(child)])
}

function tasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // It has ended.
  }
}

/** As the runtime counts it: without what files it has mapped. */
function ownMib(pid: number): number {
  const status = text(`/proc/${pid}/status`)
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return (field('RssAnon') + field('RssShmem') + field('VmSwap')) / 1024
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // It has ended.
  }
}
