import assert from 'node:assert/strict'
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { stop } from 'esbuild'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { listCode } from '../../modules/list.ts'
import { compileAhead } from './compiled.ts'

after(() => stop())

const later = () => Date.now() + 1000

function repoOf(t: TestContext, more: Record<string, string> = {}) {
  const repo = temporaryFolder(t)
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(repo, file)), { recursive: true })
    writeFileSync(join(repo, file), text)
  }
  const files = {
    'manifest.ts': "import { run } from './jobs/job'\nexport const name: string = run()",
    'package.json': '{ "type": "module" }',
    'jobs/job.ts': "export const run = (): string => 'job'",
    'jobs/broken.ts': 'export const = 1',
    ...more,
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  const paths = () => listCode(repo, 'data') ?? []
  const unchanged = async (change: () => void, now = later) => {
    const ahead = await compileAhead(repo, now)
    change()
    return ahead
      ?.unchanged(paths())
      .map(({ path }) => path)
      .sort()
  }
  return { repo, write, paths, unchanged }
}

test('files that compile and do not change are compiled once', async t => {
  const { repo, write, paths, unchanged } = repoOf(t)
  const ahead = await compileAhead(repo, later)
  const found = ahead?.unchanged(paths()) ?? []
  assert.deepEqual(found.map(({ path }) => path).sort(), ['jobs/job.ts', 'manifest.ts', 'package.json'])
  assert.match(
    found.find(({ path }) => path === 'jobs/job.ts')?.code ?? '',
    /^export const run = \(\) => "job";/,
  )
  assert.deepEqual(await unchanged(() => write('jobs/job.ts', "export const run = (): string => 'new'")), [
    'manifest.ts',
    'package.json',
  ])
  assert.deepEqual(await unchanged(() => rmSync(join(repo, 'jobs/job.ts'))), ['manifest.ts', 'package.json'])
})

test('a file that gets its old size and time back has changed', async t => {
  const { repo, write, unchanged } = repoOf(t)
  utimesSync(join(repo, 'jobs/job.ts'), 1, 1)
  const found = await unchanged(() => {
    write('jobs/job.ts', "export const run = (): string => 'job'")
    utimesSync(join(repo, 'jobs/job.ts'), 1, 1)
  })
  assert.deepEqual(found, ['manifest.ts', 'package.json'])
})

test('everything is compiled again when a setting, a package or the time of a change is not certain', async t => {
  const { write, unchanged } = repoOf(t, {
    'tsconfig.json': '{ "extends": "./config/base.json" }',
    'config/base.json': '{}',
    'node_modules/.package-lock.json': '{}',
  })
  assert.ok((await unchanged(() => {}))?.includes('jobs/job.ts'))
  for (const file of [
    'package.json',
    'config/base.json',
    'node_modules/.package-lock.json',
    'new/tsconfig.json',
  ]) {
    const found = await unchanged(() => write(file, '{ "compilerOptions": {} }'))
    assert.deepEqual(found, [], file)
  }
  assert.deepEqual(await unchanged(() => {}, Date.now), [])
})

test('settings that lie in other files than JSON, and errors, are left to the reading', async t => {
  const other = repoOf(t, { 'tsconfig.json': '{ "extends": ["./base.jsonc"] }', 'base.jsonc': '{}' })
  assert.equal(await compileAhead(other.repo, later), null)
  const { repo } = repoOf(t)
  rmSync(join(repo, 'manifest.ts'))
  assert.equal(await compileAhead(repo, later), null)
})
