// SPDX-License-Identifier: Apache-2.0
// The pages that are looked at now and then, one file of the bundle.
export { ConnectorPage, Connectors } from './connectors';
export { DigestPage } from './digest';
export { Explain } from './explain';
export { HsmPage, Hsms } from './hsms';
export { JobPage, Jobs } from './jobs';
export { ListedDigests } from './listed_digests';
export { PolicyPage } from './policy';
export { Settings } from './settings';
export { Setup } from './setup';
export { Timestamps } from './timestamps';
export { UsageReport } from './usage';
