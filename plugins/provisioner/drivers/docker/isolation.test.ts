import assert from 'node:assert/strict'
import { chown, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { answerOf, skipReason, testbed } from './testbed.fixture.ts'

suite('what an instance may do', { skip: await skipReason() }, async () => {
  const limits = { memoryBytes: 256 * 1024 ** 2, cpus: 0.5, pids: 100 }
  const bed = await testbed({ limits })
  const spec = bed.spec('tenant')
  const neighbour = bed.spec('neighbour')
  const node = (code: string) => bed.run(spec, 'node', '-e', code)
  /**
   * What the instance is answered by itself and then by each of `urls`. What is refused is not answered at all: it gets
   * much longer than an answer takes on this machine, now.
   */
  const asked = async (urls: readonly string[]) =>
    (
      await node(`
        const ask = (url, ms) => fetch(url, { signal: AbortSignal.timeout(ms) }).then(r => r.text(), () => 'refused')
        const began = performance.now()
        ask('http://127.0.0.1:8080', 60_000).then(async own => {
          const patience = Math.max(2000, Math.ceil(10 * (performance.now() - began)))
          const said = await Promise.all(${JSON.stringify(urls)}.map(url => ask(url, patience)))
          console.log(own, said.join(' '))
          process.exit()
        })
      `)
    ).output
  const status = async (field: string) =>
    (await bed.run(spec, 'cat', '/proc/1/status')).output.match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))?.[1]

  test('it runs', async () => {
    assert.equal(await answerOf(await bed.up(spec)), spec.id)
    assert.equal(await answerOf(await bed.up(neighbour)), neighbour.id)
  })

  test('it writes to its volume and to /tmp, and nowhere else', async () => {
    for (const path of ['/data/file', '/tmp/file']) assert.equal((await bed.run(spec, 'touch', path)).code, 0)
    for (const path of ['/file', '/usr/local/bin/file', '/etc/file', '/root/file'])
      assert.notEqual((await bed.run(spec, 'touch', path)).code, 0, path)
    const { output } = await bed.run(spec, 'cat', '/proc/1/mounts')
    assert.match(output, /^overlay \/ overlay ro,/m)
    assert.match(output, /^tmpfs \/tmp tmpfs rw,nosuid,nodev,.*size=65536k/m)
  })

  test('it runs as an unprivileged user, holds no capability and gains none', async () => {
    const uid = process.getuid?.() === 0 ? '10001' : String(process.getuid?.())
    assert.equal((await bed.run(spec, 'id', '-u')).output, uid)
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match((await status(set)) ?? '', /^0+$/, set)
    assert.equal(await status('NoNewPrivs'), '1')
    assert.equal(await status('Seccomp'), '2')
  })

  test('its memory, processor and processes are limited', async () => {
    const { HostConfig } = await bed.container(spec).inspect()
    assert.equal(HostConfig.Memory, limits.memoryBytes)
    assert.equal(HostConfig.MemorySwap, limits.memoryBytes)
    assert.equal(HostConfig.NanoCpus, 500_000_000)
    assert.equal(HostConfig.PidsLimit, limits.pids)

    const eats = await node(`const kept = []; for (;;) kept.push(Buffer.alloc(16 * 1024 ** 2, 1))`)
    assert.equal(eats.code, 137)
    const forks = await bed.run(spec, 'bash', '-c', 'for i in $(seq 200); do sleep 5 & done; wait -n')
    assert.match(forks.output, /Resource temporarily unavailable/)
    assert.equal(await answerOf(await bed.up(spec)), spec.id)
  })

  test('it sees its own settings and nothing of ours', async () => {
    process.env.LONGHOUSE_SECRET_OF_THE_CONTROL_PLANE = 'secret'
    const { output } = await bed.run(spec, 'env')
    delete process.env.LONGHOUSE_SECRET_OF_THE_CONTROL_PLANE
    assert.match(output, new RegExp(`^LONGHOUSE_INSTANCE_ID=${spec.id}$`, 'm'))
    assert.match(output, /^LONGHOUSE_DATA_DIR=\/data$/m)
    assert.match(output, /^LONGHOUSE_PORT=8080$/m)
    assert.doesNotMatch(output, /SECRET|DOCKER_HOST|ADMIN_TOKEN|DATA_ROOT/)
    assert.notEqual((await bed.run(spec, 'ls', '/var/run/docker.sock')).code, 0)
  })

  test('it reaches no neighbour: neither by address, nor by name, nor by the published port', async () => {
    const { NetworkSettings } = await bed.container(neighbour).inspect()
    const { IPAddress, Gateway } = NetworkSettings.Networks[bed.network] ?? {}
    const published = NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort
    const urls = [
      `http://${IPAddress}:8080`,
      `http://longhouse-${neighbour.subdomain}:8080`,
      `http://${Gateway}:${published}`,
      `http://127.0.0.1:${published}`,
    ]
    assert.equal(await asked(urls), `${spec.id} refused refused refused refused`)
  })

  test("it does not reach what listens on the host's loopback", async () => {
    const server = createServer((_, response) => response.end('the admin surface'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const onHost = await fetch(`http://127.0.0.1:${port}`).then(response => response.text())
    assert.equal(onHost, 'the admin surface')
    const gateway = (await bed.container(spec).inspect()).NetworkSettings.Networks[bed.network]?.Gateway
    assert.ok(gateway)
    const output = await asked([`http://${gateway}:${port}`, `http://127.0.0.1:${port}`])
    server.close()
    assert.equal(output, `${spec.id} refused refused`)
  })

  test('it believes the host about who asks, and no one else on its network', async () => {
    const { NetworkSettings } = await bed.container(spec).inspect()
    const gateway = NetworkSettings.Networks[bed.network]?.Gateway
    const { output } = await bed.run(spec, 'env')
    assert.ok(gateway)
    assert.equal(/^LONGHOUSE_TRUSTED_PROXIES=(.*)$/m.exec(output)?.[1]?.trim(), gateway)
  })

  test('it is published on the loopback of the host only', async () => {
    const { NetworkSettings } = await bed.container(spec).inspect()
    assert.deepEqual(
      NetworkSettings.Ports['8080/tcp']?.map(({ HostIp }) => HostIp),
      ['127.0.0.1'],
    )
  })

  test('its log cannot fill the disk, and it comes back after a crash', async () => {
    const { HostConfig } = await bed.container(spec).inspect()
    assert.deepEqual(HostConfig.LogConfig, {
      Type: 'json-file',
      Config: { 'max-file': '2', 'max-size': '10m' },
    })
    assert.equal(HostConfig.RestartPolicy?.Name, 'unless-stopped')
    assert.equal(HostConfig.Init, true)
  })
})

suite('a volume that was filled beforehand', { skip: (await skipReason()) || notRoot() }, async () => {
  const bed = await testbed()

  test('is given to the instance, file by file, and is otherwise as it was', async () => {
    const spec = bed.spec('cloned')
    await mkdir(join(spec.volume, 'jobs/.git/objects'), { recursive: true, mode: 0o700 })
    await writeFile(join(spec.volume, 'jobs/manifest.ts'), '// mine', { mode: 0o600 })
    await writeFile(join(spec.volume, 'jobs/.git/objects/packed'), 'x', { mode: 0o444 })
    await bed.up(spec)

    for (const path of ['', 'jobs', 'jobs/manifest.ts', 'jobs/.git/objects/packed']) {
      const { uid, gid } = await stat(join(spec.volume, path))
      assert.deepEqual({ uid, gid }, { uid: 10001, gid: 10001 }, path)
    }
    assert.equal((await bed.run(spec, 'cat', '/data/jobs/manifest.ts')).output, '// mine')
    assert.equal((await stat(join(spec.volume, 'jobs/manifest.ts'))).mode & 0o777, 0o600)
    assert.equal((await bed.run(spec, 'touch', '/data/jobs/new')).code, 0)
  })

  test('leads nowhere else by its symbolic links', async () => {
    const spec = bed.spec('linked')
    const outside = join(bed.folder, 'outside')
    await mkdir(join(outside, 'folder'), { recursive: true })
    await writeFile(join(outside, 'file'), 'of the host')
    await mkdir(spec.volume)
    await symlink(join(outside, 'file'), join(spec.volume, 'file'))
    await symlink(outside, join(spec.volume, 'folder'))
    await bed.driver.prepareVolume(spec)
    assert.equal((await lstat(join(spec.volume, 'file'))).uid, 10001)
    for (const path of ['', 'file', 'folder']) assert.equal((await stat(join(outside, path))).uid, 0, path)
    assert.equal(await readFile(join(outside, 'file'), 'utf8'), 'of the host')
  })

  test('may not itself be a link or a file', async () => {
    const linked = bed.spec('link')
    await symlink('/etc', linked.volume)
    await assert.rejects(bed.driver.prepareVolume(linked), /is a symbolic link; it must be a folder/)
    assert.equal((await stat('/etc')).uid, 0)
    const file = bed.spec('file')
    await writeFile(file.volume, 'a file')
    await assert.rejects(bed.driver.prepareVolume(file), /not a folder/)
    assert.equal(await readFile(file.volume, 'utf8'), 'a file')
  })

  test('stays private to the instance when it is made', async () => {
    const spec = bed.spec('private')
    await bed.driver.prepareVolume(spec)
    assert.equal((await stat(spec.volume)).mode & 0o007, 0)
    await chown(spec.volume, 0, 0)
    await bed.driver.prepareVolume(spec)
    assert.equal((await stat(spec.volume)).uid, 10001)
  })
})

function notRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'only root gives files away: run the tests as root'
}
