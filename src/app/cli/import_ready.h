#pragma once

// How a slice is made ready: checked and packed for the store of this process, or put into Bundles for a server.

#include "app/cli/import_pipeline.h"

namespace mydr24::cli {

// Validates and packs. Of Bundles: a transaction becomes interactions in which a create with an id of its own (or a
// urn:uuid fullUrl) is an update of that id, so that a repeat changes nothing; of a batch, collection, searchset or
// history each resource is imported alone; other Bundles (document, message) are resources like any other.
void make_ready_for_store(const records::Records& records, ImportSlice&& slice, ReadySlice& ready);

// Resources become a batch Bundle (PUT with an id, POST without); transaction and batch Bundles are sent as they are.
void make_ready_for_server(ImportSlice&& slice, ReadySlice& ready);

}  // namespace mydr24::cli
