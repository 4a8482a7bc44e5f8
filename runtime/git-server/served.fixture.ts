import type { TestContext } from 'node:test'
import { closeServer, openServer } from '../../src/http/listener/server.ts'
import { type GitClient, gitClient } from '../../src/testing/git-client.ts'
import { createInstanceServer } from '../web/server.ts'
import { instanceId, postJson, startWeb, type Web, type WebTestOptions } from '../web/web.fixture.ts'

export interface ServedInstance extends Web, GitClient {
  /** Where the instance listens. */
  origin: string
  /** The address with a token of this scope in it. */
  url(scope: 'read' | 'run' | 'write'): Promise<string>
  /** Clones with a token that may push. Returns the folder. */
  clone(name?: string, ...args: string[]): Promise<string>
  /** The commit that the instance has. */
  head(): Promise<string>
}

/** An instance that listens, and a person with a git of their own. */
export async function startServed(t: TestContext, options: WebTestOptions = {}): Promise<ServedInstance> {
  const web = await startWeb(t, options)
  const server = createInstanceServer(web.app, instanceId)
  const port = await openServer(server, { host: '127.0.0.1', port: 0 })
  t.after(() => closeServer(server, { graceMs: 0 }))
  const client = gitClient(t)
  const origin = `http://127.0.0.1:${port}`
  const tokens = new Map<string, string>()
  const token = async (scope: string) => {
    const known = tokens.get(scope)
    if (known) return known
    const Cookie = await web.signIn()
    const made = await postJson(web.app, '/api/tokens', { name: `git ${scope}`, scope }, { Cookie })
    const { secret } = (await made.json()) as { secret: string }
    tokens.set(scope, secret)
    return secret
  }
  const url = async (scope: string) => `http://anyone:${await token(scope)}@127.0.0.1:${port}/jobs.git`
  return {
    ...web,
    ...client,
    origin,
    url,
    clone: async (name = 'clone', ...args) => {
      await client.done('', 'clone', '--quiet', ...args, await url('write'), name)
      return name
    },
    head: async () => (await web.instance.engine.repo()).head?.commit ?? '',
  }
}
