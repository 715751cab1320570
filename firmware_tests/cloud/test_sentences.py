# ruff: noqa: E501  # one line for each sentence
"""Which test holds us to which sentence of the systems that we speak like.

Every sentence that states a behaviour is here once, by a few words of it. What only describes a
product - its plans, its pages, its icons - is not.
"""

from importlib import import_module
from inspect import isfunction

import pytest

TEDEE_CREATE = {
    "Grants access to the device for new user": "tedee_seeds.grants_access_to_the_device_for_new_user",
    "can be used by owner or administrator": "tedee_seeds.only_owner_or_administrator_may",
    "only one active share": "tedee_seeds.one_active_share_to_the_device_at_the_time",
    "to the device at the time": "tedee_seeds.of_two_devices_each_has_its_share",
    "represents user access level": "tedee_seeds.a_sample_as_it_was_meant_has_the_documented_response",
    "represents if remote access is disabled": "tedee_seeds.remote_access_is_disabled",
    "represents repeat event of the share": "tedee_seeds.dates_mark_the_period",
    "user email that device will be shared with": "tedee_seeds.who_has_none_is_invited_by_mail",
    "possibility to read and write data": "tedee_seeds.a_scope_lets_read_and_write_shares",
    '-d "<<body>>"': "tedee_seeds.a_printed_sample_lacks_a_comma_and_is_told_where",
}
TEDEE_MANAGE = {
    "you will need deviceId": "tedee_seeds.a_list_needs_the_device",
    "return all shares for device": "tedee_seeds.all_shares_of_the_device_are_returned",
    "?deviceId=1": "tedee_seeds.the_sample_of_a_list",
    "send empty repeatEvent object": "tedee_seeds.an_empty_event_is_permanent",
    "mark the period when share": "tedee_seeds.dates_mark_the_period",
    "specific hours of the day": "tedee_seeds.hours_of_the_day_restrict_access",
    "further customize this by selecting days": "tedee_seeds.days_customise_it_further",
    "from 14 december to 31 december": "tedee_seeds.a_sample_event_means_what_its_sentence_says_in_utc",
    "only on friday and saturday": "tedee_seeds.a_sample_event_means_what_its_sentence_says_in_utc",
    "only from monday to friday": "tedee_seeds.a_sample_event_means_what_its_sentence_says_in_utc",
    "to create new device share": "tedee_seeds.grants_access_to_the_device_for_new_user",
    "he will be notified": "tedee_seeds.who_has_an_account_is_notified",
    "email with invitaion will be sent": "tedee_seeds.who_has_none_is_invited_by_mail",
    "give some of them admin permissions": "tedee_seeds.an_update_gives_admin_permissions",
    "shareId, which you get when": "tedee_seeds.the_id_of_a_share_comes_from_creating_and_from_the_list",
    "send request Update share": "tedee_seeds.the_sample_of_an_update",
    "remove employee\u2019s access": "tedee_seeds.deleting_a_share_takes_the_access_away",
    "share id you want to delete": "tedee_seeds.the_id_of_the_share_is_needed_to_delete_it",
    "deviceshare/15": "tedee_seeds.the_sample_of_a_deletion",
}
ARTIK = {
    "create a device share with PENDING": "artik_shares.an_invitation_by_email_creates_a_device_share_with_pending_status",
    "must have an ARTIK Cloud account": "artik_shares.an_invitee_must_have_an_account_to_accept",
    "invited to create one": "artik_shares.who_has_no_account_is_invited_to_create_one",
    "status will change to ACCEPTED": "artik_shares.after_the_invitation_is_accepted_the_share_status_changes_to_accepted",
    "See the shared device in their device list": "artik_shares.a_shared_device_is_seen_in_the_device_list",
    "See data from the shared device": "artik_messages.data_messages_generated_after_the_share_is_accepted_are_read",
    "Send Actions to the shared device": "artik_messages.an_action_obeys_the_rules_of_the_share",
    "Users cannot share devices": "artik_shares.users_cannot_share_devices_that_have_been_shared_with_them",
    "private device type cannot be shared": "artik_shares.a_device_that_belongs_to_a_private_device_type_cannot_be_shared",
    "gain READ and WRITE permissions": "artik_live.messages_and_actions_are_told_as_they_come",
    "using the user token": "artik_messages.an_application_uses_a_shared_device_with_the_token_of_its_user",
    "after the share is accepted can be read": "artik_messages.data_messages_generated_after_the_share_is_accepted_are_read",
    "live data or": "artik_live.nothing_before_acceptance_and_nothing_after_revocation",
    "historical data. ": "artik_messages.history_from_when_to_when_forwards_and_backwards_in_pages",
    "user ID of the device's owner": "artik_messages.an_action_payload_includes_the_user_id_of_the_devices_owner",
    "You can revoke sharing access": "artik_shares.a_revoked_device_can_no_longer_be_viewed",
    "its historical data can no longer": "artik_messages.no_messages_after_revocation",
    "The same applies if you delete": "artik_shares.deleting_the_device_ends_all_shares_and_mails_accepted_and_pending",
    "cause PENDING shares to be deleted": "artik_shares.deleting_the_device_ends_all_shares_and_mails_accepted_and_pending",
    "In either case, email notifications": "artik_shares.revoking_a_pending_share_mails_its_invitee",
    "indicates devices that you have shared": "artik_shares.shares_of_a_user_by_direction_and_in_pages",
    "current status of the invite": "artik_shares.shares_of_a_user_by_direction_and_in_pages",
    "resend pending invitations": "artik_shares.a_pending_invitation_is_resent_and_the_earlier_link_is_void",
    "manage your existing device shares": "artik_shares.a_holder_drops_a_share_and_an_invitee_declines_one",
    "following API calls": "artik_shares.a_shared_device_is_seen_in_the_device_list",
}
BLYNK = {
    "doesn't allow anonymous device sharing": "blynk_sharing.no_anonymous_sharing_users_have_to_be_registered",
    "handled with permission": "blynk_sharing.sharing_is_handled_with_four_permissions",
    "transfer the device into it": "blynk_sharing.a_sub_organization_with_one_device_shows_only_it",
    "could provision the device by himself": "blynk_sharing.a_user_can_provision_a_device_himself_after_he_is_invited",
    "just need to invite this user": "blynk_sharing.invite_the_user_to_your_organization",
    "Admin, Staff, or User roles": "blynk_sharing.admin_staff_or_user_roles_during_the_invitation",
    "in order to see their devices": "blynk_sharing.view_organization_devices_permission_in_order_to_see",
    "default User role doesn't have any": "blynk_sharing.the_default_user_role_has_no_permissions",
    "need to set the required permissions": "blynk_sharing.you_need_to_set_the_required_permissions",
    "should be invited to your organization": "blynk_sharing.the_user_should_be_invited_to_the_organization_of_a_transfer",
    "only devices where he is the owner": "blynk_sharing.view_own_devices_sees_only_devices_where_he_is_the_owner",
    "only if they have View Own Devices": "blynk_sharing.owners_see_theirs_only_if_they_have_view_own_devices",
    "all devices within the organization": "blynk_sharing.view_organization_devices_sees_all_within_the_organization",
    "control only the garage doors device": "blynk_sharing.the_garage_door_of_a_wife",
    "done only by the user email": "blynk_sharing.sharing_via_a_sub_organization",
    "visible only to the owner": "blynk_sharing.without_view_organization_devices_only_the_owner_sees_it",
    "never can see any data from the upper": "blynk_sharing.sub_organizations_never_see_upwards",
    "in the search or via the organization switch": "blynk_sharing.devices_of_sub_organizations_in_the_search_and_via_the_switch",
    "can have only one owner": "blynk_sharing.the_device_can_have_only_one_owner",
    "will see other devices within your": "blynk_sharing.other_devices_of_the_organization_are_seen_too",
    "so your family will see only it": "blynk_sharing.a_sub_organization_with_one_device_shows_only_it",
}
BLYNK_USERS = {
    "is a member of an Organization": "blynk_sharing.every_user_is_a_member_of_an_organization",
    "defined by a set of permissions": "blynk_sharing.a_role_is_a_set_of_permissions",
    "only have access to their groups": "blynk_sharing.sub_organizations_never_see_upwards",
    "first need to get registered": "blynk_sharing.no_anonymous_sharing_users_have_to_be_registered",
    "with the following permissions": "blynk_sharing.sharing_is_handled_with_four_permissions",
    "can provision the device by him- or herself": "blynk_sharing.a_user_can_provision_a_device_himself_after_he_is_invited",
    "You can select Admin, Staff or User": "blynk_sharing.admin_staff_or_user_roles_during_the_invitation",
    "To see your devices User should have": "blynk_sharing.view_organization_devices_permission_in_order_to_see",
    "will see the empty screen": "blynk_sharing.the_default_user_role_has_no_permissions",
    "ownership to the user after adding them": "blynk_sharing.the_user_should_be_invited_to_the_organization_of_a_transfer",
    "will see only devices they own": "blynk_sharing.view_own_devices_sees_only_devices_where_he_is_the_owner",
    "can't see other devices in the organization": "blynk_sharing.owners_see_theirs_only_if_they_have_view_own_devices",
    "can see all devices within": "blynk_sharing.view_organization_devices_sees_all_within_the_organization",
    "invite multiple users and then share": "blynk_sharing.sharing_via_a_sub_organization",
    "only be visible to one owner": "blynk_sharing.without_view_organization_devices_only_the_owner_sees_it",
    "back and forth between": "blynk_sharing.devices_of_sub_organizations_in_the_search_and_via_the_switch",
}
PAGES = {
    "tedee-deviceshare-create": TEDEE_CREATE,
    "tedee-manage-device-shares": TEDEE_MANAGE,
    "artik-device-sharing": ARTIK,
    "blynk-device-sharing": BLYNK,
    "blynk-user-management": BLYNK_USERS,
}
# Tests of these modules are about what our own words add to a sentence.
OURS = {
    "tedee_seeds.utc_hours_drift_on_the_wall_clock_as_the_zone_does",
    "tedee_seeds.weekdays_are_utc_too",
}
NAMED = {name for page in PAGES.values() for name in page.values()}


@pytest.mark.parametrize("name", sorted(NAMED | OURS))
def test_there_is_a_test_of_each_sentence(name):
    module, _, test = name.partition(".")
    found = getattr(import_module(f"firmware_tests.cloud.test_{module}"), f"test_{test}", None)
    assert isfunction(found), name


@pytest.mark.parametrize("module", ["tedee_seeds", "blynk_sharing"])
def test_each_test_of_a_sentence_is_in_the_table(module):
    tests = vars(import_module(f"firmware_tests.cloud.test_{module}"))
    names = {f"{module}.{name.removeprefix('test_')}" for name in tests if name[:5] == "test_"}
    assert names == {name for name in NAMED | OURS if name.startswith(f"{module}.")}
