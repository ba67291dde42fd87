import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelTable } from '../../src/shell/table-source.js';
import type { Destination, ServiceAddress } from '../../src/table/model.js';

const address: ServiceAddress = { kind: 'fwmark', family: 'inet', fwmark: 7 };

test('without IPVS the table is empty, and nobody asks the kernel, which would load it', async () => {
	const table = await KernelTable.open(() => undefined);
	assert.deepEqual(await table.snapshot(), { services: [] });
	assert.equal(await table.service(address), undefined);
	assert.equal(await table.setDestination(address, {} as Destination), 'gone');
	assert.equal(table.unreadable, 0);
	table.close();
});
