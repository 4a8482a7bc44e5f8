import axios from 'axios'
import * as cheerio from 'cheerio'

/** The prices of the shop next door. */
export async function run() {
  const { data } = await axios.get<string>('http://127.0.0.1:9/prices')
  const $ = cheerio.load(data)
  return $('#prices tr')
    .map((_, row) => $(row).text().trim())
    .get()
}
