import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { TarArchive } from 'archiver'

/** A folder and a text in a tar archive, which tar lists. */
export async function run() {
  rmSync('data/reports', { recursive: true, force: true })
  mkdirSync('data/reports/2026', { recursive: true })
  writeFileSync('data/reports/2026/january.csv', 'a,b\n'.repeat(1000))
  const archive = new TarArchive({ gzip: true })
  const file = createWriteStream('data/reports.tar.gz')
  archive.pipe(file)
  archive.directory('data/reports', 'reports')
  archive.append('Made by a job.', { name: 'readme.txt' })
  await archive.finalize()
  await finished(file)
  const listed = execFileSync('tar', ['-tzf', 'data/reports.tar.gz'], { encoding: 'utf8' })
  const readme = execFileSync('tar', ['-xzOf', 'data/reports.tar.gz', 'readme.txt'], { encoding: 'utf8' })
  return { listed: listed.trim().split('\n').sort(), readme, bytes: archive.pointer() > 0 }
}
