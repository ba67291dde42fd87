/**
 * What the exporter is held against: a server that prints as many series as `URL` shows, their names made beforehand,
 * and does nothing else. `ready-made URL PORT`
 */
import { createServer } from 'node:http';
import { answer } from './lines.js';

const [url = '', port] = process.argv.slice(2);
const text = await (await fetch(url)).text();

/** A comment is a series without a value. */
const series = text
	.split('\n')
	.filter((line) => line !== '')
	.map((line) => {
		const end = line.startsWith('#') ? line.length : line.lastIndexOf(' ');
		return { name: line.slice(0, end), value: line.startsWith('#') ? undefined : Number(line.slice(end + 1)) };
	});

function print(): string {
	let printed = '';
	for (const { name, value } of series) printed += value === undefined ? `${name}\n` : `${name} ${value}\n`;
	return printed;
}

createServer((_, response) => response.end(print())).listen(Number(port), '127.0.0.1', () =>
	answer({ kind: 'ready', series: series.length, octets: text.length }),
);
