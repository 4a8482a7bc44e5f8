import { test } from 'node:test'
import { tryRecipe } from './claims.fixture.ts'
import { adapted, fromGuide, missing, startProxy, write } from './recipe.fixture.ts'

test('Caddy as in the guide', { skip: missing('caddy', 'caddy'), timeout: 120_000 }, t =>
  tryRecipe(t, (t, upstream) =>
    startProxy(t, upstream, place => {
      const site = adapted(fromGuide('caddyfile'), [
        ['example.com, *.example.com {', 'localhost, *.localhost {'],
        [/tls \{[\s\S]*?\n\t\}/, `tls ${place.certificate} ${place.key}`],
        ['reverse_proxy 127.0.0.1:8080', `reverse_proxy 127.0.0.1:${upstream}`],
      ])
      const config = `{\n\tadmin off\n\thttp_port ${place.http}\n\thttps_port ${place.https}\n}\n${site}`
      return ['caddy', 'run', '--adapter', 'caddyfile', '--config', write(place, 'Caddyfile', config)]
    }),
  ),
)
