import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { startInstance, until } from '../runtime/engine.fixture.ts'
import { runAllInClone } from '../runtime/modules/clone.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { type EndedRun, noContainers, startInContainer } from './container.fixture.ts'

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

/** Why nothing can be installed here; false where the registry that npm is set to answers. */
export const noRegistry = () =>
  promisify(execFile)('npm', ['ping', '--fetch-retries=0'], { timeout: 20_000 }).then(
    () => false as const,
    (error: Error) => `npm's registry does not answer: ${error.message.trim().split('\n').at(-1)}`,
  )

export interface Outcome {
  t: TestContext
  run: EndedRun
  /** What the job came to under tsx, in a clone with the same packages. */
  clone: { result?: unknown; error?: string }
}

/** An instance that has installed the packages of a group, and whose jobs are live. */
interface Place {
  /** Where the packages lie on this machine. */
  modules: string
  lockfile(): string
  run(id: string): Promise<EndedRun>
}

/**
 * Lets an instance install the packages of a group, runs each job there and under tsx in a clone, and tests that the
 * results are the same. `checks` look at the outcome of jobs for which that is not all, and `more` at the packages. The
 * instance is a container where there is an engine, unless the group needs what this machine has.
 */
export function testGroup(
  name: string,
  checks: Record<string, (outcome: Outcome) => void> = {},
  {
    needsMachine = false,
    more = () => {},
  }: { needsMachine?: boolean; more?: (modules: string) => void } = {},
): void {
  const group = groups.find(each => each.name === name)
  if (!group) throw new Error(`there is no group "${name}"`)
  const inContainer = !needsMachine && !noContainers
  const where = inContainer ? 'in a container' : 'in a process'
  test(`packages of the group ${name}, installed by an instance ${where}, run as in a clone`, async t => {
    const why = await noRegistry()
    if (why) return t.skip(why)
    const files = filesOf(name)
    const place = await (inContainer
      ? inContainerOf(t, `packages-${name}`, { jobs: group.jobs, files })
      : inProcess(t, group, files))
    const clones = await runAllInClone(t, files, place.modules)
    for (const id of group.jobs) {
      await t.test(id, async t => {
        const clone = clones[id] ?? {}
        const run = await place.run(id)
        const check = checks[id]
        if (check) return check({ t, run, clone })
        assert.equal(clone.error, undefined, `in the clone: ${clone.error}`)
        assert.equal(run.error, null, `${run.error?.message}\n${run.error?.stack}`)
        assert.deepEqual(run.result, clone.result)
        assert.notEqual(run.result, null)
      })
    }
    more(place.modules)
  })
}

const installMs = 10 * 60_000

async function inProcess(
  t: TestContext,
  group: Group,
  { 'package.json': manifest = '', ...others }: Record<string, string>,
): Promise<Place> {
  const before = { 'manifest.ts': "import 'longhouse/jobs'\n", '.gitignore': 'node_modules/\ndata/\n' }
  const instance = await startInstance(t, { files: before })
  const { engine, write, path } = instance
  for (const [file, content] of Object.entries(others)) write(file, content)
  write('package.json', manifest)
  await eventually(
    'the packages are installed',
    () => ['installed', 'failed'].includes(engine.packages().status),
    { withinMs: installMs },
  )
  assert.equal(engine.packages().error, null, engine.packages().output)
  await until(() => engine.manifest().waitingFor === null && engine.jobs().length > 0, 'the jobs are live')
  assert.deepEqual(engine.manifest().errors, [])
  assert.equal(engine.jobs().length, group.jobs.length)
  assert.equal(engine.packages().command, 'npm ci --omit=dev')
  return {
    modules: path('node_modules'),
    lockfile: () => readFileSync(path('package-lock.json'), 'utf8'),
    run: instance.run,
  }
}

/** A container that has installed these packages, and whose jobs are live. `subdomain` must be the test's own. */
export async function inContainerOf(
  t: TestContext,
  subdomain: string,
  { jobs, files }: { jobs: readonly string[]; files: Record<string, string> },
): Promise<Place> {
  const { 'package.json': manifest = '', ...others } = files
  // A Postgres in the process of the job takes more than the usual instance has.
  const { volume, save, run, jobs: live } = await startInContainer(t, subdomain, { INSTANCE_MEMORY: '2g' })
  trustAuthority(save)
  for (const [file, text] of Object.entries(others)) save(file, text)
  save('package.json', manifest)
  await eventually(
    'the packages are installed, and the jobs are live',
    async () => {
      const found = await live()
      assert.deepEqual(found.manifest.errors, [])
      return jobs.every(id => found.jobs.some(each => each.id === id))
    },
    { withinMs: installMs },
  )
  const installed = readdirSync(join(volume, 'packages')).find(each => /^[0-9a-f]{20}$/.test(each)) ?? ''
  return {
    modules: join(volume, 'packages', installed, 'node_modules'),
    lockfile: () => readFileSync(join(volume, 'jobs/package-lock.json'), 'utf8'),
    run,
  }
}

/** Where this machine reaches the registry by an authority of its own, npm in the container needs it too. */
function trustAuthority(save: (file: string, text: string) => void): void {
  const authority = process.env.NODE_EXTRA_CA_CERTS
  if (!authority) return
  save('authority.pem', readFileSync(authority, 'utf8'))
  save('.npmrc', 'cafile=/data/jobs/authority.pem\n')
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
