import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'

const feed = `<?xml version="1.0"?><rss version="2.0"><channel><title>News &amp; more</title>
<item id="1"><title>First</title></item><item id="2"><title>Second</title></item></channel></rss>`

/** Reads a feed, checks one that is broken, and writes a document. */
export async function run() {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '$' })
  const { channel } = parser.parse(feed).rss
  const built = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '$' }).build({
    invoice: {
      $id: 7,
      line: [
        { $cents: 350, '#text': 'Tea' },
        { $cents: 720, '#text': 'Cake' },
      ],
    },
  })
  return { title: channel.title, items: channel.item, broken: XMLValidator.validate('<a><b></a>'), built }
}
