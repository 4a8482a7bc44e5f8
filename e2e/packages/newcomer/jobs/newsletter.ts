import { readFile } from 'node:fs/promises'
import dayjs from 'dayjs'
import 'dayjs/locale/fr'
import Handlebars from 'handlebars'
import offers from '../offers.json'

const template = new URL('../templates/newsletter.hbs', import.meta.url)

Handlebars.registerHelper('euros', (cents: number) => `${(cents / 100).toFixed(2)} €`)
Handlebars.registerPartial('offer', '{{name}}: {{euros cents}}, until {{until}}')

export async function newsletter() {
  const fill = Handlebars.compile(await readFile(template, 'utf8'))
  const html = fill({
    month: dayjs('2026-02-01').locale('fr').format('MMMM YYYY'),
    offers: offers.map(each => ({ ...each, until: dayjs(each.until).format('D MMM') })),
  })
  return { html: html.split('\n').filter(Boolean) }
}
