/** Asks two servers in turn for their metrics and tells how long each took: `scraper ROUNDS URL OTHER-URL` */
import { answer } from './lines.js';

const [rounds, url = '', otherUrl = ''] = process.argv.slice(2);

async function scrape(from: string): Promise<number> {
	const beganMs = performance.now();
	const response = await fetch(from);
	await response.arrayBuffer();
	if (!response.ok) throw new Error(`${from} answers ${response.status}`);
	return performance.now() - beganMs;
}

const measured: number[] = [];
const beside: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
	measured.push(await scrape(url));
	beside.push(await scrape(otherUrl));
}
answer({ kind: 'scraped', measured, beside });
