import { test } from 'node:test'
import { tryRecipe } from './claims.fixture.ts'
import { adapted, fromGuide, missing, startProxy, write } from './recipe.fixture.ts'

test('nginx as in the guide', { skip: missing('nginx', 'nginx-light'), timeout: 120_000 }, t =>
  tryRecipe(t, (t, upstream) =>
    startProxy(t, upstream, place => {
      const sites = adapted(fromGuide('nginx'), [
        ['listen 443 ssl;', `listen ${place.https} ssl;`],
        ['listen 80;', `listen ${place.http};`],
        ['/etc/letsencrypt/live/example.com/fullchain.pem', place.certificate],
        ['/etc/letsencrypt/live/example.com/privkey.pem', place.key],
        [/example\.com/g, 'localhost'],
        ['http://127.0.0.1:8080', `http://127.0.0.1:${upstream}`],
      ])
      const { folder } = place
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        name => `${name}_temp_path ${folder}/${name};`,
      )
      const config = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
        http { access_log off; ${temporary.join(' ')}\n${sites}\n}`
      return ['nginx', '-p', folder, '-c', write(place, 'nginx.conf', config)]
    }),
  ),
)
