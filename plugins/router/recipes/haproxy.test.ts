import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { tryRecipe } from './claims.fixture.ts'
import { adapted, fromGuide, missing, startProxy, write } from './recipe.fixture.ts'

test('HAProxy as in the guide', { skip: missing('haproxy', 'haproxy'), timeout: 120_000 }, t =>
  tryRecipe(t, (t, upstream) =>
    startProxy(t, upstream, place => {
      const both = [place.certificate, place.key].map(file => readFileSync(file, 'utf8')).join('')
      const config = adapted(fromGuide('haproxy'), [
        ['bind :443', `bind :${place.https}`],
        ['bind :80', `bind :${place.http}`],
        ['/etc/haproxy/example.com.pem', write(place, 'both.pem', both)],
        ['127.0.0.1:8080', `127.0.0.1:${upstream}`],
      ])
      return ['haproxy', '-db', '-f', write(place, 'haproxy.cfg', config)]
    }),
  ),
)
