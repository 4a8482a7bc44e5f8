import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { randomText } from '../../../../src/ids.ts'
import { programRoot } from '../../../../src/root.ts'
import { answerOf, skipReason, testbed } from './testbed.fixture.ts'

/** The first two are the metadata services of clouds; the third is any address of the range; the last is a public one. */
const metadata = ['169.254.169.254', '169.254.170.2']
const elsewhere = '169.254.77.7'
const open = '198.51.100.77'
/** Metadata services elsewhere, for the host's firewall. */
const farther = ['100.100.100.200', '168.63.129.16']
const routed = ['169.254.0.0/16', ...[open, ...farther].map(address => `${address}/32`)]

suite('link-local addresses', { skip: (await skipReason()) || notRoot() }, async () => {
  const bed = await testbed()
  const spec = bed.spec('tenant')
  await bed.up(spec)
  const { Id: networkId } = await bed.docker.getNetwork(bed.network).inspect()
  const bridge = `br-${networkId.slice(0, 12)}`
  const world = await otherMachine(bridge)

  const asks = async (container: string, addresses: readonly string[]) => {
    const exec = await bed.docker.getContainer(container).exec({
      Cmd: [
        'node',
        '-e',
        `const { request } = require('node:http')
        const [own] = Object.values(require('node:os').networkInterfaces()).flat().filter(each => !each.internal && !each.address.startsWith('169.254.'))
        const ask = (host, localAddress) => new Promise(resolve => {
          const asked = request({ host, port: ${world.port}, localAddress, timeout: 4000 }, answer => {
            answer.setEncoding('utf8').on('data', resolve)
          })
          asked.on('error', () => resolve('closed')).on('timeout', () => resolve('closed')).end()
        })
        Promise.all(${JSON.stringify(addresses)}.flatMap(host => [ask(host), ask(host, own.address)])).then(said => {
          console.log(JSON.stringify(said))
          process.exit()
        })`,
      ],
      AttachStdout: true,
    })
    const chunks: Buffer[] = []
    for await (const chunk of await exec.start({ Detach: false })) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    return JSON.parse(text.slice(text.indexOf('[')))
  }
  const all = [...metadata, elsewhere, open]
  const closed = ['closed', 'closed', 'closed', 'closed', 'closed', 'closed', world.says, world.says]

  test('are reached by a container of the same network that is not ours: the listener is there', async () => {
    const plain = await bed.docker.createContainer({
      Image: bed.image,
      HostConfig: { NetworkMode: bed.network },
    })
    await plain.start()
    assert.deepEqual(await asks(plain.id, all), Array(8).fill(world.says))
    await plain.remove({ force: true })
  })

  test('are closed to an instance, from whatever address it asks, while the rest of the world is open', async () => {
    assert.deepEqual(await asks(`longhouse-${spec.subdomain}`, all), closed)
  })

  test('stay closed when the container is restarted, by us, by the engine and by its own end', async () => {
    await bed.driver.stop(spec, 5000)
    await bed.up(spec)
    assert.deepEqual(await asks(`longhouse-${spec.subdomain}`, all), closed)
    await bed.container(spec).restart({ t: 1 })
    assert.deepEqual(await asks(`longhouse-${spec.subdomain}`, all), closed)
  })

  test('it holds no right to open them again, and has no link-local address of the sixth version', async () => {
    const { output } = await bed.run(spec, 'cat', '/proc/1/status')
    assert.match(output, /^CapEff:\s*0+$/m)
    assert.match(output, /^CapBnd:\s*0+$/m)
    assert.equal((await bed.run(spec, 'cat', '/proc/net/if_inet6')).output.match(/fe80.*eth/), null)
  })

  test('the guide’s rules close those that are not link-local, and nothing else', async () => {
    const instance = `longhouse-${spec.subdomain}`
    assert.deepEqual(await asks(instance, farther), Array(4).fill(world.says))
    const guide = readFileSync(join(programRoot('docs'), 'operate/security.md'), 'utf8')
    const rules = guide.split('\n').flatMap(line => {
      const [, rule] = line.match(/^sudo iptables -I (DOCKER-USER -i \$bridge .*)$/) ?? []
      return rule === undefined ? [] : [rule.replace('$bridge', bridge).split(' ')]
    })
    assert.equal(rules.length, 2)
    for (const rule of rules) execFileSync('iptables', ['-I', ...rule])
    try {
      assert.deepEqual(await asks(instance, farther), Array(4).fill('closed'))
      assert.deepEqual(await asks(instance, [open]), [world.says, world.says])
    } finally {
      for (const rule of rules) execFileSync('iptables', ['-D', ...rule])
    }
  })

  test('it is still reached, by its own address only', async () => {
    const { address } = await bed.driver.inspect(spec)
    assert.equal(await answerOf(`http://${address?.host}:${address?.port}`), spec.id)
  })
})

/**
 * Another machine, as a network namespace behind the host, that listens on link-local addresses. Only what comes from the
 * instances' bridge is routed there: nothing of the host's own changes.
 */
async function otherMachine(bridge: string) {
  const mark = randomText(6)
  const [namespace, outside, inside, table] = [`lh-${mark}`, `lho${mark}`, `lhi${mark}`, '7727']
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  const port = 80
  const says = `metadata ${mark}`
  ip('netns', 'add', namespace)
  after(() => {
    server.kill('SIGKILL')
    for (const to of routed) ip('rule', 'del', 'iif', bridge, 'to', to, 'lookup', table)
    ip('netns', 'del', namespace)
  })
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', namespace)
  ip('address', 'add', '10.213.77.1/30', 'dev', outside)
  ip('link', 'set', outside, 'up')
  execFileSync('sysctl', ['-qw', `net.ipv4.conf.${outside}.rp_filter=0`])
  const within = (...args: string[]) => ip('-n', namespace, ...args)
  within('link', 'set', 'lo', 'up')
  within('link', 'set', inside, 'up')
  within('address', 'add', '10.213.77.2/30', 'dev', inside)
  within('route', 'add', 'default', 'via', '10.213.77.1')
  for (const address of [...metadata, elsewhere, open, ...farther])
    within('address', 'add', `${address}/32`, 'dev', 'lo')
  for (const to of routed) {
    ip('rule', 'add', 'iif', bridge, 'to', to, 'lookup', table)
    ip('route', 'replace', to, 'via', '10.213.77.2', 'dev', outside, 'table', table)
  }
  const program = `require('node:http').createServer((_, answer) => answer.end(${JSON.stringify(says)})).listen(${port}, '0.0.0.0', () => console.log('listening'))`
  const server = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (server.stdout) await once(server.stdout, 'data')
  return { port, says }
}

function notRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'only root makes network namespaces'
}
