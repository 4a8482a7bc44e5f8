import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ask } from '../../src/testing/ask.ts'
import { setClock } from '../../src/testing/clock.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startInbox } from '../../src/testing/inbox.ts'
import { audit } from '../audit/index.ts'
import { mail } from '../mail/index.ts'
import { overview } from '../overview/index.ts'
import { type OwnerBrowser, openTown } from '../owners/owners.fixture.ts'
import { domains } from './index.ts'
import { startNameServer } from './name-server.fixture.ts'

export const hour = 3_600_000
export const day = 24 * hour

export interface Domain {
  domain: string
  state: string
  proof: { type: string; name: string; value: string }
  traffic: { type: string; name: string; value: string }
  finding: string | null
  stops_at: string | null
  expires_at: string | null
  vouched: boolean
}

/** A town whose owners add domains, with a name server, an inbox and a clock of the test's. */
export async function openVillage(t: TestContext, env: Record<string, string> = {}) {
  const clock = setClock()
  const dns = await startNameServer(t)
  const inbox = await startInbox(t)
  const town = await openTown(t, {
    clock,
    plugins: [mail, audit, overview, domains],
    env: {
      ...{ DOMAINS_RESOLVERS: dns.address, SMTP_URL: inbox.url, SMTP_FROM: 'hello@example.com' },
      ...env,
    },
  })
  const own = async (owner: OwnerBrowser, subdomain: string) => {
    await owner.call('POST', '/instances', { subdomain })
    await town.reaches(owner, subdomain, 'running')
  }
  const add = async (owner: OwnerBrowser, subdomain: string, domain: string) => {
    const reply = await owner.call('POST', `/instances/${subdomain}/domains`, { domain })
    assert.equal(reply.status, 201, reply.text)
    return reply.json<Domain>()
  }
  const check = (owner: OwnerBrowser, subdomain: string, domain: string) => {
    // One domain may be checked every three seconds.
    clock.advance(3000)
    return owner.call('POST', `/instances/${subdomain}/domains/${domain}/check`, {})
  }
  const prove = ({ proof }: Domain) => dns.records.set(proof.name, ['v=spf1 -all', proof.value])
  const list = async (owner: OwnerBrowser, subdomain: string) =>
    (await owner.call('GET', `/instances/${subdomain}/domains`)).json<{ domains: Domain[]; limit: number }>()
  const visit = async (host: string) => (await ask({ port: town.port, host, path: '/' })).status
  /** Time passes, and the task looks. */
  const later = async (ms: number) => {
    clock.advance(ms)
    await town.program.runOnce('domains:check')
  }
  const subjects = async () => {
    await town.program.runOnce('mail:send')
    await eventually('every email is sent', async () => {
      const { body } = await town.admin<{ messages: { status: string }[] }>('GET', '/admin/mail')
      return body.messages.every(({ status }) => status === 'sent')
    })
    return inbox.mails.map(({ text }) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '')
  }
  const entries = async () => {
    const { body } = await town.admin<{
      entries: { action: string; detail: string; actor: { kind: string } }[]
    }>('GET', '/admin/audit?limit=50')
    return body.entries.filter(({ action }) => action.endsWith('-domain')).reverse()
  }
  const concerns = async () =>
    (
      await town.admin<{ attention: { kind: string; summary: string }[] }>('GET', '/admin/overview')
    ).body.attention.map(({ summary }) => summary)
  return { ...town, clock, dns, own, add, check, prove, list, visit, later, subjects, entries, concerns }
}
