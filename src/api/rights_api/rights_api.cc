#include "api/rights_api/rights_api.h"

#include "api/pipeline/json_body.h"

namespace mydr24::rights_api {

void add_routes(pipeline::Router& router, Service& service) {
  add_export_routes(router, service);
  add_erasure_routes(router, service);
  add_breach_routes(router, service);
  router.add({net::Method::get, "/api/v1/compliance/processing-record", "processing-record", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> {
                auto record = co_await service.trail.fhir.workers.run(call.request_class(),
                                                                      [&] { return service.processing_record(); });
                if (!record) {
                  co_await call.respond(record.error());
                } else {
                  co_await pipeline::send_json(call, 200, std::move(*record));
                }
              },
              admission::Cost::by_method, "The record of processing activities (GDPR 30)"});
}

}  // namespace mydr24::rights_api
