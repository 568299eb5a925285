package org.keyplate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The face as plain Java has it: constructors, numbers, enums, exceptions. */
class JavaTest {
    @TempDir Path folder;

    private Config config() {
        return new Config(folder.resolve("id.db").toString(), "https://media.example");
    }

    @Test
    void theFirstRun() throws KeyplateException {
        try (Keyplate keyplate = Keyplate.open(config())) {
            String token = keyplate.createSetupToken().getSecret().reveal();
            SignedIn admin;
            try (Keyplate stranger = keyplate.anonymous(new ClientInfo("192.0.2.7"))) {
                admin = stranger.claimSetup(token, new NewAdmin("ann"));
            }
            assertEquals(Role.ADMINISTRATOR, admin.getUser().getRole());
            assertEquals("192.0.2.7", admin.getSession().getAddress());
            Authenticated session = keyplate.authenticate(admin.getSecret().reveal());
            assertEquals(admin.getUser().getId(), session.getUserId());
            try (Keyplate ann = keyplate.actingAs(session.getPrincipal(), new ClientInfo())) {
                CreatedApiKey created = ann.createApiKey(new NewApiKey("automation", List.of("users:read")));
                Authenticated key = keyplate.verifyApiKey(created.getSecret().reveal());
                assertEquals("ann", key.getUsername());
                assertEquals(List.of("users:read"), key.getScopes());
            }
            long total = keyplate.listUsers(new UserQuery()).getTotal();
            assertEquals(1, total);
        }
    }

    @Test
    void aRefusalHasItsReason() throws KeyplateException {
        try (Keyplate keyplate = Keyplate.open(config())) {
            try {
                keyplate.createUser(new NewUser("x".repeat(51)));
                throw new AssertionError("made");
            } catch (KeyplateException.InvalidInput refusal) {
                assertEquals("username", refusal.getField());
                InputReason.TooLong reason = assertInstanceOf(InputReason.TooLong.class, refusal.getReason());
                assertEquals(50, reason.getMost());
                assertEquals("too_long", refusal.reasonCode());
                assertEquals("{\"code\":\"too_long\",\"most\":50}", refusal.reasonJson());
                assertEquals(400, refusal.httpStatus());
                assertEquals(ErrorCode.INVALID_INPUT, refusal.code());
                assertEquals("invalid username: must have at most 50 characters", refusal.getMessage());
            }
            KeyplateException.NotFound missing =
                    assertThrows(KeyplateException.NotFound.class, () -> keyplate.getUser(UUID.randomUUID()));
            assertEquals(Thing.USER, missing.getWhat());
            KeyplateException stranger = assertThrows(KeyplateException.class, () -> keyplate.authenticate("x"));
            assertInstanceOf(KeyplateException.InvalidCredential.class, stranger);
            assertNull(stranger.reasonCode());
            try (Keyplate anonymous = keyplate.anonymous(new ClientInfo())) {
                KeyplateException.PermissionDenied denied = assertThrows(
                        KeyplateException.PermissionDenied.class, () -> anonymous.listUsers(new UserQuery()));
                assertEquals(DenialReason.NotSignedIn.INSTANCE, denied.getReason());
            }
        }
    }

    @Test
    void aHostHearsEventsAndTellsTheTime() throws KeyplateException {
        Instant noon = Instant.parse("2100-01-01T12:00:00.005Z");
        List<EventKind> heard = new ArrayList<>();
        EventSink sink = event -> heard.add(event.getKind());
        Config config = Config.builder(folder.resolve("id.db").toString(), "https://media.example")
                .tokenPrefix("house")
                .busyTimeoutMs(250L)
                .events(sink)
                .timeSource(() -> noon)
                .build();
        try (Keyplate keyplate = Keyplate.open(config)) {
            User user = keyplate.createUser(new NewUser("ben"));
            assertEquals(noon, user.getCreatedAt());
            SignedIn session = keyplate.createSession(user.getId(), new ClientInfo(), 60L);
            assertEquals("house_ses_", session.getSecret().reveal().substring(0, 10));
            assertEquals(noon.plusSeconds(60), session.getSession().getExpiresAt());
            User changed = keyplate.updateUser(user.getId(), new UserChanges("carl"));
            assertEquals("carl", changed.getUsername());
        }
        assertEquals(List.of(EventKind.USER_CREATED, EventKind.SESSION_CREATED, EventKind.USER_UPDATED), heard);
    }
}
