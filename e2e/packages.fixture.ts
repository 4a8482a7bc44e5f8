import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startInstance, type TestInstance, until } from '../runtime/engine.fixture.ts'
import type { Run } from '../runtime/jobs/contract.ts'
import { runAllInClone } from '../runtime/modules/clone.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'

/** The jobs repos of these tests: each installs some packages, and has a job for each of them. */
const groupsDir = join(import.meta.dirname, 'packages')

export interface Group {
  name: string
  /** What `package.json` asks for, with the exact version. */
  dependencies: Record<string, string>
  jobs: readonly string[]
}

export const groups: readonly Group[] = readdirSync(groupsDir, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => {
    const read = (file: string) => readFileSync(join(groupsDir, name, file), 'utf8')
    const { dependencies } = JSON.parse(read('package.json')) as Pick<Group, 'dependencies'>
    const jobs = [...read('manifest.ts').matchAll(/\bid: '([^']+)'/g)].map(([, id = '']) => id)
    return { name, dependencies, jobs }
  })

/** Why nothing can be installed here; false where the registry of npm answers. */
export const noRegistry = () =>
  fetch('https://registry.npmjs.org/-/ping', {
    signal: AbortSignal.timeout(20_000),
  }).then(
    ({ ok, status }) => !ok && `the registry of npm answers with ${status}`,
    error => `the registry of npm does not answer: ${error.cause?.message ?? error.message}`,
  )

export interface Outcome {
  t: TestContext
  run: Run
  /** What the job came to under tsx, in a clone with the same packages. */
  clone: { result?: unknown; error?: string }
}

/**
 * Lets an instance install the packages of a group, runs each job there and under tsx in a clone, and tests that the
 * results are the same. `fails` are the jobs that fail in both; their outcome is for the caller to look at.
 */
export function testGroup(
  name: string,
  fails: Record<string, (outcome: Outcome) => void> = {},
  more: (instance: TestInstance) => Promise<void> = async () => {},
): void {
  const group = groups.find(each => each.name === name)
  if (!group) throw new Error(`there is no group "${name}"`)
  test(`packages of the group ${name}, installed and run as in a clone`, async t => {
    const why = await noRegistry()
    if (why) return t.skip(why)
    const files = filesOf(name)
    const before = { 'manifest.ts': "import 'longhouse/jobs'\n", '.gitignore': 'node_modules/\ndata/\n' }
    const instance = await startInstance(t, { files: before })
    const { engine, write, path } = instance
    const { 'package.json': manifest = '', ...others } = files
    for (const [file, content] of Object.entries(others)) write(file, content)
    write('package.json', manifest)
    await eventually(
      'the packages are installed',
      () => ['installed', 'failed'].includes(engine.packages().status),
      { withinMs: 10 * 60_000 },
    )
    assert.equal(engine.packages().error, null, engine.packages().output)
    await until(() => engine.manifest().waitingFor === null && engine.jobs().length > 0, 'the jobs are live')
    assert.deepEqual(engine.manifest().errors, [])
    assert.equal(engine.jobs().length, group.jobs.length)
    assert.equal(engine.packages().command, 'npm ci --omit=dev')

    const clones = await runAllInClone(t, files, path('node_modules'))
    for (const id of group.jobs) {
      await t.test(id, async t => {
        const clone = clones[id] ?? {}
        const run = await instance.run(id)
        const check = fails[id]
        if (check) return check({ t, run, clone })
        assert.equal(clone.error, undefined, `in the clone: ${clone.error}`)
        assert.equal(
          run.error,
          null,
          `${run.error?.message}\n${run.error?.stack}\n${await engine.log(run.id)}`,
        )
        assert.deepEqual(run.result, clone.result)
        assert.notEqual(run.result, null)
      })
    }
    await more(instance)
  })
}

export function filesOf(group: string): Record<string, string> {
  const dir = join(groupsDir, group)
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [file.slice(dir.length + 1), readFileSync(file, 'utf8')]
    }),
  )
}
