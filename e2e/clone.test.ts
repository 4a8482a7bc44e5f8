import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { runningInstance } from '../cli/instance/running-instance.fixture.ts'
import { oneJob } from '../runtime/engine.fixture.ts'
import { startRegistry } from '../runtime/packages/registry.fixture.ts'
import { programRoot } from '../src/root.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { noContainers, startInContainer } from './container.fixture.ts'
import { noRegistry } from './packages.fixture.ts'

interface Answer {
  code: number
  out: string
  err: string
}

test('a clone has types and command after npm install, from the package that its instance serves', {
  timeout: 600_000,
}, async t => {
  const why = await noRegistry()
  if (why) return t.skip(why)
  const instance = await runningInstance(t)
  await instance.live('daily-digest')
  const home = temporaryFolder(t)
  const clone = join(home, 'clone')
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    XDG_CONFIG_HOME: join(home, 'config'),
    LONGHOUSE_URL: '',
    LONGHOUSE_TOKEN: '',
  }
  const run = async (program: string, ...args: string[]): Promise<Answer> => {
    const options = { cwd: existsSync(clone) ? clone : home, env }
    return promisify(execFile)(program, args, options).then(
      ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
      ({ code, stdout, stderr }) => ({ code, out: stdout, err: stderr }),
    )
  }
  const done = async (program: string, ...args: string[]): Promise<string> => {
    const { code, out, err } = await run(program, ...args)
    assert.equal(code, 0, `${program} ${args.join(' ')}: ${out}${err}`)
    return out
  }
  const npx = (...args: string[]) => done('npx', 'longhouse', ...args)

  const secret = await instance.token('write')
  const header = `http.extraHeader=Authorization: Bearer ${secret}`
  await done('git', '-c', header, 'clone', '--quiet', `${instance.origin}/jobs.git`, clone)
  await done('npm', 'install', '--no-audit', '--no-fund')
  const { packages } = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string }>
  }
  const { resolved = '' } = packages['node_modules/longhouse'] ?? {}
  assert.ok(resolved.startsWith(`${instance.origin}/sdk/longhouse-`), resolved)
  rmSync(join(clone, 'node_modules'), { recursive: true })
  // The npm of an instance, which takes packages from an address only if it is set to.
  const ownNpm = programRoot('node_modules/npm/bin/npm-cli.js')
  await done('node', ownNpm, 'ci', '--no-audit', '--no-fund', '--cache', join(home, 'another-cache'))

  await t.test('the compiler knows longhouse/jobs and text files', async () => {
    await done('npm', 'run', 'types')
    writeFileSync(join(clone, 'jobs/letter.txt'), 'Dear all')
    writeFileSync(join(clone, 'jobs/query.sql'), 'select 1')
    const job = join(clone, 'jobs/daily-digest.ts')
    const imports = [
      "import letter from './letter.txt'",
      "import query from './query.sql' with { type: 'text' }",
      'console.log(letter.length, query.length)',
    ]
    writeFileSync(job, `${imports.join('\n')}\n${readFileSync(job, 'utf8')}`)
    await done('npx', 'tsc', '--noEmit')
    writeFileSync(
      join(clone, 'jobs/wrong.ts'),
      "import letter from './letter.txt'\nexport const size: number = letter\n",
    )
    const wrong = await run('npx', 'tsc', '--noEmit')
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.out, /jobs\/wrong\.ts.*TS2322/)
    rmSync(join(clone, 'jobs/wrong.ts'))
  })

  await t.test('so do those of other versions, with all ways to find modules', async () => {
    const older = ['ts5@npm:typescript@5.9.3', 'ts6@npm:typescript@6.0.3']
    await done('npm', 'install', '--no-save', '--no-audit', '--no-fund', ...older)
    const folder = join(clone, 'types')
    mkdirSync(folder)
    const code = [
      "import { type JobContext, jobRegistry } from 'longhouse/jobs'",
      "import letter from './letter.txt'",
      'export const run = (context: JobContext) => context.log(letter.length)',
      "jobRegistry.register({ id: 'a', cron: '@daily', func: run })",
      '// @ts-expect-error The types must refuse a job without a cron expression.',
      "jobRegistry.register({ id: 'b', func: run })",
    ]
    writeFileSync(join(folder, 'letter.txt'), 'Dear all')
    writeFileSync(join(folder, 'a.mts'), code.join('\n'))
    writeFileSync(join(folder, 'b.cts'), code.join('\n'))
    for (const compiler of ['ts5', 'ts6', 'typescript']) {
      for (const [module, moduleResolution] of [
        ['node16', 'node16'],
        ['nodenext', 'nodenext'],
        ['esnext', 'bundler'],
      ]) {
        const compilerOptions = {
          module,
          moduleResolution,
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          lib: ['esnext'],
          types: [],
        }
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
        await done('node', `node_modules/${compiler}/bin/tsc`, '-p', 'types')
      }
    }
    rmSync(folder, { recursive: true })
  })

  await t.test('npm prints what to install instead of a version that is not there', async () => {
    const missing = `${instance.origin}/sdk/longhouse-0.0.1.tgz`
    const { code, err } = await run('npm', 'install', '--no-save', '--fetch-retries=0', missing)
    assert.notEqual(code, 0)
    assert.ok(
      err.includes(`Install the package that it has: npm install --save-dev --allow-remote=root ${resolved}`),
      err,
    )
  })

  await t.test(
    'a clone of an instance that has moved installs again with the command of the page',
    async () => {
      for (const file of ['package.json', 'package-lock.json']) {
        const text = readFileSync(join(clone, file), 'utf8')
        writeFileSync(join(clone, file), text.replaceAll(instance.origin, 'http://127.0.0.1:1'))
      }
      rmSync(join(clone, 'node_modules'), { recursive: true })
      const fresh = ['--no-audit', '--no-fund', '--fetch-retries=0', '--cache', join(home, 'third-cache')]
      const moved = await run('node', ownNpm, 'ci', ...fresh)
      assert.notEqual(moved.code, 0)
      assert.match(moved.err, /http:\/\/127\.0\.0\.1:1\/sdk\/longhouse-.*ECONNREFUSED/s)
      await done('node', ownNpm, 'install', '--save-dev', '--allow-remote=root', resolved, ...fresh)
      assert.ok(!readFileSync(join(clone, 'package-lock.json'), 'utf8').includes('127.0.0.1:1/'))
      await done('node', ownNpm, 'ci', ...fresh)
    },
  )

  await t.test('check, list, next and run work as in a checkout', async () => {
    assert.match(await npx('check', '--types'), /^✓ 1 job, no problems found$/m)
    assert.match(await npx('list'), /^daily-digest +0 8 \* \* \*/m)
    assert.match(await npx('next', 'daily-digest', '--count', '1'), /08:00:00 UTC/)
    assert.match(await npx('run', 'daily-digest'), /^8 8\n/m)
    assert.match(await npx('--version'), /^\d+\.\d+\.\d+-b[0-9a-f]{10}$/m)
  })

  await t.test('login, push and logs find the instance by the package', async () => {
    const login = spawnSync('npx', ['longhouse', 'login'], {
      cwd: clone,
      env,
      input: secret,
      encoding: 'utf8',
    })
    assert.equal(login.status, 0, login.stderr)
    await done('git', 'add', '--all')
    await done(
      'git',
      '-c',
      'user.name=Bob',
      '-c',
      'user.email=bob@example.com',
      'commit',
      '--quiet',
      '--message',
      'A letter',
    )
    const pushed = await run('npx', 'longhouse', 'push')
    assert.equal(pushed.code, 0, pushed.err)
    assert.match(pushed.err, /^remote: /m)
    await instance.live('daily-digest')
    const { id } = await instance.ask<{ id: string }>('/api/jobs/daily-digest/run', {})
    assert.match(await npx('logs', '-f', id), /^8 8\nGood morning/)
    assert.match(await npx('logs', 'daily-digest'), /^Good morning/m)
  })

  await t.test('another Node than that of the instance is refused in words', () => {
    const file = join(clone, 'node_modules/longhouse/bin/longhouse.cjs')
    const older =
      "Object.defineProperty(process.versions, 'node', { value: '24.1.0' }); require(process.argv[1])"
    const { status, stderr } = spawnSync(process.execPath, ['-e', older, file], { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /^longhouse needs Node 26.*npx -p node@26 -- longhouse check\n$/s)
  })
})

test('in a container, which does not reach its public address, the starter installs packages beside that of its instance', {
  skip: noContainers,
}, async t => {
  const instance = await startInContainer(t, 'own-package-test')
  const file = join(instance.volume, 'jobs/package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { devDependencies: Record<string, string> }
  const { longhouse = '' } = manifest.devDependencies
  assert.match(longhouse, /^http:\/\/own-package-test\.localhost:\d+\/sdk\/longhouse-/)

  const registry = await startRegistry(t, { host: instance.hostAddress })
  registry.publish('greeting', '1.0.0', { 'index.js': "export const text = 'one'" })
  for (const [name, version] of [
    ['esbuild', own.dependencies.esbuild],
    ['@types/node', '24.12.0'],
    ['typescript', '7.0.2'],
  ] as const) {
    registry.publish(name, version, { 'index.js': '' })
  }
  instance.save('.npmrc', `registry=${registry.url}/\n`)
  instance.save('package.json', JSON.stringify({ ...manifest, dependencies: { greeting: '1.0.0' } }))
  instance.save('manifest.ts', `import { text } from 'greeting'\n${oneJob('() => text')}`)
  await eventually('the job is live', async () => (await instance.jobs()).jobs.some(({ id }) => id === 'job'))
  assert.equal((await instance.run('job')).result, 'one')
  const lock = readFileSync(join(instance.volume, 'jobs/package-lock.json'), 'utf8')
  assert.ok(lock.includes(`"resolved": "${longhouse}"`))
})

const own = JSON.parse(readFileSync(programRoot('package.json'), 'utf8')) as {
  dependencies: { esbuild: string }
}
