import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { OperatorError } from '../../src/shell/errors.js';
import { Tape } from '../../src/shell/tape.js';

const folder = mkdtempSync(join(tmpdir(), 'ipvigil-tape-'));
after(() => rmSync(folder, { recursive: true }));

test('what an earlier daemon has recorded is left as it is, told, and no reason not to run', async () => {
	const file = join(folder, 'earlier');
	writeFileSync(file, 'x');
	const lines: string[] = [];
	const tape = new Tape(file, pino({ level: 'error' }, { write: (line: string) => lines.push(line) }));
	tape.opened({});
	tape.table({ services: [] });
	await tape.close();
	assert.equal(tape.of('wire'), undefined);
	assert.equal(readFileSync(file, 'utf8'), 'x');
	assert.equal(lines.length, 1);
	assert.match(lines[0] ?? '', /has something in it already.*Nothing is recorded until it is moved away/);
});

test('a file that cannot be made is the operator’s mistake', () => {
	assert.throws(() => new Tape(join(folder, 'none', 'x'), pino({ level: 'silent' })), OperatorError);
});
