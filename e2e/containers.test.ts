import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Docker from 'dockerode'
import { envOf, startProvider } from '../plugins/auth/openid.fixture.ts'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { startStripe } from '../src/testing/stripe/stand-in.ts'
import { noBrowser, openBrowser } from './browser.fixture.ts'
import { drivers, startLonghouse } from './longhouse.fixture.ts'

const skip = noBrowser || drivers.find(({ driver }) => driver === 'docker')?.skip || false

test('in a real container, the owner signs in from the account page and the plan’s limits apply', {
  skip,
  timeout: 600_000,
}, async t => {
  const [provider, stripe] = await Promise.all([startProvider(t), startStripe(t)])
  provider.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
  const longhouse = await startLonghouse(t, {
    driver: 'docker',
    env: { ...envOf(provider), ...stripe.env, INSTANCE_MEMORY: '384m', INSTANCE_CPUS: '0.75' },
  })
  const { port, dataRoot } = longhouse
  const control = `http://control.localhost:${port}`
  provider.allow(`${control}/auth/google/callback`)
  const { page } = await openBrowser(t, { javaScript: false })
  const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
  const docker = new Docker()
  const taken = async () => {
    const { Id, HostConfig, State } = await docker.getContainer('longhouse-boxtest').inspect()
    return { id: Id, limits: [HostConfig.Memory, (HostConfig.NanoCpus ?? 0) / 1e9], running: State.Running }
  }
  const runs = async () => {
    await eventually('it runs, and nothing is under way', async () => {
      await page.goto(`${control}/instances/boxtest`)
      const words = await page.locator('main').innerText()
      return /Running/.test(words) && !/in progress|waiting/.test(words)
    })
  }

  await page.goto(`${control}/new`)
  await press('Sign in with Example')
  await press('Continue as ada')
  await page.getByLabel('Name').fill('boxtest')
  await press('Create my instance')
  await page.locator('code.secret').waitFor()
  await runs()
  const before = await taken()
  assert.deepEqual(before.limits, [384 * 1024 ** 2, 0.75])

  // No password is typed, and the token works once.
  const arrivals: string[] = []
  page.on('request', request => {
    if (request.url().includes('token=')) arrivals.push(request.url())
  })
  await page.getByRole('link', { name: 'Open' }).click()
  await page.getByText('daily-digest').first().waitFor()
  assert.equal(page.url(), `http://boxtest.localhost:${port}/`)
  assert.equal(arrivals.length, 1)
  const branch = join(dataRoot, 'boxtest/jobs/.git/refs/heads/main')
  // The first jobs go live before they are committed.
  const head = await eventually('the first commit', () => readFileSync(branch, 'utf8'))
  await page.goto(arrivals[0] ?? '')
  await page.getByText('This browser did not ask for it').waitFor()

  // A plan with more resources: the same volume in a new container, with its sessions kept.
  await page.goto(`${control}/billing`)
  await press('Choose Team')
  await press('Pay')
  await page.getByText('Paid until').waitFor()
  await stripe.deliver((body, headers) =>
    ask({ port, host: 'control.localhost', method: 'POST', path: '/webhooks/stripe', body, headers }),
  )
  await eventually('the container has the limits of the plan', async () => {
    const { id, limits, running } = await taken().catch(() => before)
    return id !== before.id && running && String(limits) === String([1024 ** 3, 2])
  })
  await runs()
  await page.goto(`http://boxtest.localhost:${port}/`)
  await page.getByText('daily-digest').first().waitFor()
  assert.equal(readFileSync(branch, 'utf8'), head)
})
