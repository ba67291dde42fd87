import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asking, wayOf } from '../../src/judge/asking.js';

test('a plain connection has no name, and every other way one of its own', () => {
	const plain: Asking[] = [{ method: 'auto' }, { method: 'connect' }, { method: 'connect', request: undefined }];
	for (const asking of plain) assert.equal(wayOf(asking), undefined);
	const ways: Asking[] = [
		{ method: 'udp' },
		{ method: 'udp', request: 'a' },
		{ method: 'udp', expect: 'a' },
		{ method: 'connect', request: 'a' },
		{ method: 'connect', port: 8080 },
		{ method: 'command', command: ['/bin/check', 'a'] },
		{ method: 'command', command: ['/bin/check', 'b'] },
	];
	assert.equal(new Set(ways.map(wayOf)).size, ways.length);
});

test('the name is that of what is said, in whatever order, and stays what it is', () => {
	const [one, other]: Asking[] = [
		{ method: 'connect', port: 8080, request: 'a' },
		{ request: 'a', port: 8080, method: 'connect' },
	];
	assert.equal(wayOf(one as Asking), wayOf(other as Asking));
	assert.equal(wayOf({ method: 'udp' }), 'udp 741638a5');
});
