import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { DriverError } from '../../driver.ts'
import { cutOff, fakeEngine, listed, says } from './fake.fixture.ts'
import { driverAt, name, ref, spec } from './fake-driver.fixture.ts'

suite('a pull that fails tells what the engine said', () => {
  const pulling = async (t: Parameters<typeof fakeEngine>[0], bytes: string) => {
    const engine = await fakeEngine(t, asked =>
      asked === 'POST /images/create'
        ? bytes
        : says(404, { message: 'No such image: registry.example/runtime:1' }),
    )
    const driver = driverAt(engine.socketPath)
    t.after(() => driver.close())
    return driver.prepareImage(spec)
  }
  const lines = (...each: object[]) => each.map(line => `${JSON.stringify(line)}\r\n`).join('')
  const begun = { status: 'Pulling from runtime', id: '1' }
  const failing = (message: string) => says(200, lines(begun, { errorDetail: { message }, error: message }))

  const failures: Record<string, { bytes: string; words: RegExp; permanent: boolean }> = {
    'the disk is full': {
      bytes: failing('write /var/lib/docker/tmp/x: no space left on device'),
      words:
        /pull the image registry.example\/runtime:1: write .* no space left on device — The disk of the Docker engine is full/,
      permanent: false,
    },
    'the rate limit': {
      bytes: failing('toomanyrequests: You have reached your pull rate limit.'),
      words: /You have reached your pull rate limit\. — The registry limits/,
      permanent: false,
    },
    'another platform': {
      bytes: failing('no matching manifest for linux/arm64/v8 in the manifest list entries'),
      words: /no matching manifest for linux\/arm64.* — The image was not built for the processor/,
      permanent: true,
    },
    'no login': {
      bytes: says(404, {
        message: 'pull access denied for runtime: denied: requested access to the resource',
      }),
      words: /requested access to the resource — The registry does not give the image/,
      permanent: true,
    },
    'an error without details': {
      bytes: says(200, lines(begun, { error: 'unexpected EOF' })),
      words: /unexpected EOF/,
      permanent: false,
    },
    'refused at once': {
      bytes: says(404, { message: 'manifest for registry.example/runtime:1 not found: manifest unknown' }),
      words: /manifest unknown — The registry has no such image/,
      permanent: true,
    },
    'a stream that breaks off': {
      bytes: cutOff(200, lines(begun)),
      words: /broke off/,
      permanent: false,
    },
    'a stream that is none': {
      bytes: says(200, '<html>'),
      words: /cannot be read/,
      permanent: false,
    },
    'a stream that ends well, and no image': {
      bytes: says(200, lines(begun, { status: 'Download complete' })),
      words: /was pulled and is not there/,
      permanent: false,
    },
  }
  for (const [what, { bytes, words, permanent }] of Object.entries(failures)) {
    test(what, async t => {
      await assert.rejects(pulling(t, bytes), (error: DriverError) => {
        assert.match(error.message, words)
        assert.equal(error.permanent, permanent)
        return true
      })
    })
  }
})

test('a permission error of the host is not taken for a refusal of a registry, and is retried', async t => {
  const said = 'OCI runtime create failed: open /sys/fs/cgroup/memory.max: permission denied: unknown'
  const engine = await fakeEngine(t, asked =>
    asked.startsWith('POST ') ? says(500, { message: said }) : says(200, [listed(ref, { State: 'exited' })]),
  )
  const driver = driverAt(engine.socketPath)
  t.after(() => driver.close())
  await assert.rejects(driver.start(ref), (error: DriverError) => {
    assert.equal(error.message, `could not start ${name}: ${said}`)
    assert.equal(error.permanent, false)
    return true
  })
})
